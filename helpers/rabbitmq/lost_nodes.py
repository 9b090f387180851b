"""Know which private node belongs to which folder, and end nodes that have lost theirs.

Each process of a private node has its folder in its environment. A node has lost its folder when
that was deleted or moved while the node ran, or holds the notes of another node by now: it works
with data that are gone, and nothing else would end it.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.machine.keeper import NOTES
from helpers.machine.paths import home
from helpers.machine.processes import Identity

VARIABLE = "RABBIT_LAB_NODE"
VM, EPMD = "-rabbit_lab", "-port"  # arguments of the processes that a private node starts
# A node of another checkout may be on its way: its notes name it a moment after its start.
YOUNG_S = 120.0
NAMESPACES = ("mnt", "pid")


@dataclass(frozen=True)
class LostNode:
    """A node's virtual machine and its epmd, or one of them, whose folder is gone."""

    folder: Path
    processes: tuple[Identity, ...]

    def __str__(self) -> str:
        """Return what it is."""
        pids = ", ".join(str(process.pid) for process in self.processes)
        return f"a node of RabbitMQ that lost its folder {self.folder} (process {pids})"


def folder_of(pid: int) -> Path | None:
    """Return the folder of a private node's process; None when the process does not tell."""
    try:
        return _folder(psutil.Process(pid))
    except psutil.Error:
        return None


def lives_in(pid: int, folder: Path) -> bool:
    """Return whether a node's process was started for a folder, which is still the same one.

    Args:
        pid: of a process that the folder's notes name.
        folder: where the notes are.

    Returns:
        Also true for a process that does not tell its folder.
    """
    told = folder_of(pid)
    try:
        return told is None or told.samefile(folder)
    except OSError:
        return False


def find() -> list[LostNode]:
    """Return the lost nodes of this user, those of other checkouts too, but none in a container."""
    found: dict[Path, list[Identity]] = {}
    own = _noted_below(home())
    for process in psutil.process_iter():
        try:
            mark = _mark(process)
            folder = _folder(process) if mark is not None else None
            if mark is None or folder is None or not _is_lost(process, folder, own):
                continue
            identity = Identity(process.pid, process.create_time(), mark)
        except (psutil.Error, OSError):
            continue
        found.setdefault(folder, []).append(identity)
    return [LostNode(folder, tuple(processes)) for folder, processes in sorted(found.items())]


def end() -> list[LostNode]:
    """End the lost nodes of this user and their epmds, and return them."""
    lost = find()
    for node in lost:
        # The virtual machine first: without its epmd, it would start another.
        for process in sorted(node.processes, key=lambda process: process.mark != VM):
            process.kill()
    return lost


def _mark(process: psutil.Process) -> str | None:
    """Return the argument by which a process is known as a node or an epmd of this project."""
    if process.uids().real != os.geteuid() or process.status() == psutil.STATUS_ZOMBIE:
        return None
    arguments = process.cmdline()
    if VM in arguments and process.name().startswith("beam"):
        return VM
    return EPMD if EPMD in arguments and process.name().startswith("epmd") else None


def _folder(process: psutil.Process) -> Path | None:
    try:
        told = process.environ().get(VARIABLE)
    except (psutil.Error, OSError):
        return None
    return Path(told) if told else None


def _is_lost(process: psutil.Process, folder: Path, own: set[int]) -> bool:
    if not _sees_the_same(process.pid) or process.pid in _noted(folder):
        return False
    is_own = folder.is_relative_to(home()) or process.pid in own
    is_young = time.time() - process.create_time() < YOUNG_S
    return not is_young or (is_own and not folder.is_dir())


def _sees_the_same(pid: int) -> bool:
    """Return whether a process has this one's files and process ids; one in a container has not."""
    own = Path("/proc/self/ns")
    if not own.is_dir():  # not Linux
        return True
    with suppress(OSError):
        return all(
            (own / kind).readlink() == Path(f"/proc/{pid}/ns/{kind}").readlink()
            for kind in NAMESPACES
        )
    return False


def _noted_below(place: Path) -> set[int]:
    """Return the processes that the notes of nodes in a folder of brokers name."""
    notes = [*place.glob(f"*/{NOTES}"), *place.glob(f"*/*/{NOTES}")]  # a cluster has folders below
    return {pid for path in notes for pid in _noted(path.parent)}


def _noted(folder: Path) -> set[int]:
    try:
        notes = json.loads((folder / NOTES).read_text())
        return {notes[name]["pid"] for name in ("vm", "epmd") if notes.get(name)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return set()
