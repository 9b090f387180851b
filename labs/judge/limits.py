"""What a learner's processes may use, and the walls around them where this machine has them."""

import json
import os
import resource
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.broker.paths import ROOT, home

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds for one check of one submission.

    ``seconds`` is the wall time of the whole check; the other limits hold for each process of the
    learner: memory, CPU time, and the size of a file it writes, its output among them.
    """

    seconds: float = 60.0
    memory_mib: int = 1024
    cpu_s: int = 60
    file_mib: int = 16
    processes: int = 64  # at once, all of them together
    walled: bool = False  # in a sandbox of bubblewrap, where there is one

    def apply(self) -> None:
        """Set the limits of this process, which its children inherit."""
        for what, most in (
            (resource.RLIMIT_AS, self.memory_mib * MIB),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_FSIZE, self.file_mib * MIB),
            (resource.RLIMIT_CORE, 0),
        ):
            _, ceiling = resource.getrlimit(what)
            least = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
            resource.setrlimit(what, (least, least))

    def as_json(self) -> str:
        """Return the limits for another process."""
        return json.dumps(vars(self))


def sandbox() -> str | None:
    """Return the path of bubblewrap, or None where there is none."""
    return shutil.which("bwrap")


def environment() -> dict[str, str]:
    """Return what a learner's process gets to see of the environment: no credentials."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": "/nonexistent",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
    }


def command(arguments: Sequence[str], *, submission: Path, folder: Path, walled: bool) -> list[str]:
    """Return the command that runs Python with these arguments.

    Args:
        arguments: of Python.
        submission: the learner's file: with its folder it is all of its like that can be seen.
        folder: the only place that can be written.
        walled: inside bubblewrap: its own processes, a file system that can only be read, and
            neither other submissions nor the broker's administrator are visible.
    """
    python = [sys.executable, *arguments]
    bwrap = sandbox() if walled else None
    if bwrap is None:
        return python
    hidden = [ROOT / "work", *sorted((ROOT / "labs").glob("lab[0-9][0-9]_*")), home()]
    return [
        bwrap,
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/tmp", "--tmpfs", "/run"),
        *(word for place in hidden if place.is_dir() for word in ("--tmpfs", str(place))),
        *("--tmpfs", str(submission.parent.parent), "--ro-bind"),
        *(str(submission.parent), str(submission.parent)),
        *("--bind", str(folder), str(folder)),
        *("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session"),
        *python,
    ]
