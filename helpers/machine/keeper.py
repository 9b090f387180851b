"""Start processes that outlive this one, and find them again from notes in their folder."""

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from helpers.errors import RabbitLabError, WaitTimeoutError
from helpers.machine import locks
from helpers.machine.files import writing
from helpers.machine.paths import home, shown
from helpers.machine.processes import Identity, find_below, is_alive, kill_below, spawn
from helpers.waits import wait_until

NOTES = "state.json"
MOST_CHARACTERS = 200

_numbers = itertools.count(1)


class Keeper:
    """A folder with throw-away data, and the processes that work on it.

    Args:
        folder: where the notes are; it is made by `lay_out` of a subclass and deleted by `remove`.
        names: what each process is called in the notes, the main one first.
        politely: a signal that lets a process clear up before it ends; None means SIGKILL.
    """

    def __init__(self, folder: Path, *names: str, politely: int | None = None) -> None:
        self.folder = folder
        self.politely = politely
        self.noted: dict[str, Any] = {}
        self.processes: dict[str, Identity | None] = dict.fromkeys(names)

    @property
    def pid(self) -> int | None:
        """Id of the main process; None while it is down."""
        main = next(iter(self.processes.values()))
        return main.pid if main is not None and main.process() is not None else None

    @property
    def is_running(self) -> bool:
        """Whether the main process is alive."""
        return self.pid is not None

    def load(self) -> bool:
        """Read the notes of an earlier process.

        Returns:
            Whether there are notes.
        """
        try:
            noted = json.loads((self.folder / NOTES).read_text())
            identities = {n: noted.pop(n) for n in self.processes}
            self.processes = {n: Identity(**i) if i else None for n, i in identities.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return False
        self.noted = noted
        return True

    def note(self, **values: Any) -> None:
        """Add values to the notes, and write them with the identities of the processes."""
        self.noted |= values
        identities = {n: asdict(i) if i else None for n, i in self.processes.items()}
        fresh = self.folder / f"{NOTES}.new"
        with writing(self.folder / NOTES):
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # has a password
            with os.fdopen(handle, "w") as file:
                json.dump(self.noted | identities, file, indent=1)
            fresh.replace(self.folder / NOTES)

    def run(
        self,
        name: str,
        command: list[str],
        *,
        mark: str,
        is_ready: Callable[[], bool],
        error: Callable[[str], RabbitLabError],
        environment: Mapping[str, str],
        output: Path,
        timeout_s: float,
        folder: Path | None = None,
        user: str | None = None,
    ) -> None:
        """Start a process and wait until it is ready; end it when it does not become ready.

        Args:
            name: one of the names of the processes.
            command: program and arguments.
            mark: an argument of this process, or of one that it starts, and of no other.
            is_ready: asked while the process runs.
            error: makes an exception of the reason for which it did not become ready.
            environment: all of its environment.
            output: file that its stdout and stderr are appended to.
            timeout_s: how long it may take to become ready, in seconds.
            folder: its working folder; None means that of the notes.
            user: the user it runs as.

        Raises:
            RabbitLabError: made by ``error``: it ended, or was not ready in time.
        """
        self.processes[name] = None
        where = folder or self.folder
        pid = spawn(command, environment=environment, folder=where, output=output, user=user)

        def attempt() -> bool:
            if not self._is_alive(name):
                # A process that is just replacing itself with another program has no command line.
                self.processes[name] = find_below(pid, mark)
                if self.processes[name] is None:
                    if not is_alive(pid):
                        raise error("it ended at once")
                    return False
                self.note()
            return is_ready()

        try:
            wait_until(attempt, timeout_s=timeout_s, what=name, every_s=0.03)
        except BaseException as failure:
            self.kill(name)
            kill_below(pid)
            if isinstance(failure, WaitTimeoutError):
                raise error(f"it was not ready within {timeout_s:g} s") from None
            raise

    def kill(self, name: str | None = None) -> bool:
        """End a process; the data stay.

        Args:
            name: of the process; None means the main one.

        Returns:
            Whether it was running.
        """
        identity = self.processes[name or next(iter(self.processes))]
        return identity is not None and identity.kill(politely=self.politely)

    def stop(self) -> bool:
        """End all processes, the main one first.

        Returns:
            Whether the main one was running.
        """
        were_running = [self.kill(name) for name in self.processes]
        return were_running[0]

    def remove(self) -> bool:
        """End all processes and delete the folder.

        Returns:
            Whether the main one was running.
        """
        was_running = self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.noted = {}
        return was_running

    def _is_alive(self, name: str) -> bool:
        identity = self.processes[name]
        return identity is not None and identity.process() is not None


K = TypeVar("K", bound=Keeper)


@contextmanager
def temporary(prefix: str, make: Callable[[Path], K]) -> Iterator[K]:
    """Keep processes for the time of a ``with`` block.

    Args:
        prefix: the beginning of the folder's name.
        make: makes the keeper for a folder.

    Yields:
        A keeper with a folder of its own, which is not made yet; it is removed at the end of the
        block. What a killed process leaves is removed by the next call.
    """
    sweep(prefix, make)
    folder = home() / f"{prefix}-{os.getpid()}-{next(_numbers)}"
    with locks.lease(folder.with_suffix(".lock")):
        keeper = make(folder)
        try:
            yield keeper
        finally:
            keeper.remove()


def sweep(prefix: str, make: Callable[[Path], Keeper]) -> list[Path]:
    """Remove the processes and folders that killed processes left; see `temporary`.

    Returns:
        The folders.
    """
    swept: list[Path] = []
    for lease in locks.abandoned(home(), f"{prefix}-*.lock"):
        keeper = make(lease.with_suffix(""))
        keeper.load()
        keeper.remove()
        swept.append(keeper.folder)
    return swept


def explain(what: str, reason: str, log: Path, lines: list[str]) -> str:
    """Return why a private server did not start, with lines of its log.

    Args:
        what: the server.
        reason: the reason, without a full stop.
        log: the file that the lines are from.
        lines: the lines to show.
    """
    quoted = "".join(f"\n  | {line.strip()[:MOST_CHARACTERS]}" for line in lines)
    return f"cannot start a private {what}: {reason}; its log is {shown(log)}{quoted}"


def log_lines(path: Path) -> list[str]:
    """Return the lines of a log that hold more than decoration; none when it cannot be read."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip(" #=\t")]
