"""Limit how many cells of a class run at the same time on one machine; the others wait.

An extension of IPython that the classroom's image loads. Thirty notebooks that measure at once on
two cores measure each other; a cell that waits for its turn measures what it does alone. Turns are
locks on the files of the folder ``RABBIT_LAB_TURNS``; the first cell in line holds ``next``. A
cell that runs longer than `LONGEST_S` gives its turn back, so that one which consumes for ever does
not keep the others waiting; the lock of a killed kernel is free at once.

Source: IPython documentation, "IPython Events"; flock(2).
"""

import fcntl
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

VARIABLE = "RABBIT_LAB_TURNS"
NEXT = "next"
LONGEST_S = 60.0
LOOK_EVERY_S = 0.02


class Turns:
    """The turns of one kernel."""

    def __init__(self, folder: Path) -> None:
        self._files = [os.open(path, os.O_RDONLY) for path in sorted(folder.glob("turn-*"))]
        self._next = os.open(folder / NEXT, os.O_RDONLY)
        self._held: int | None = None
        self._timer: threading.Timer | None = None
        self._notified = False
        self._lock = threading.Lock()

    def take(self, *_: object) -> None:
        """Wait for a turn; print a notice, once per kernel, if there is none at once."""
        self.give_back()
        if not _try(self._next):
            self._notify()
            fcntl.flock(self._next, fcntl.LOCK_EX)
        try:
            while (free := next((file for file in self._files if _try(file)), None)) is None:
                self._notify()
                time.sleep(LOOK_EVERY_S)  # flock(2) waits for one file, not for the first of many
        finally:
            fcntl.flock(self._next, fcntl.LOCK_UN)
        with self._lock:
            self._held = free
            self._timer = threading.Timer(LONGEST_S, self.give_back)
            self._timer.daemon = True
            self._timer.start()

    def give_back(self, *_: object) -> None:
        """Give the turn back, if it is held."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._held is not None:
                # Unlocked, not closed: a forked child holds the file, too.
                fcntl.flock(self._held, fcntl.LOCK_UN)
            self._held = self._timer = None

    def _notify(self) -> None:
        if not self._notified:
            self._notified = True
            print("The class shares this machine: cells wait for their turn.", file=sys.stderr)


def make(folder: Path, turns: int) -> None:
    """Make the files of the turns; learners need read access only.

    Args:
        folder: made when it does not exist.
        turns: how many cells may run at the same moment, 1 or more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (NEXT, *(f"turn-{number:03}" for number in range(turns))):
        (folder / name).touch(mode=0o644)


def load_ipython_extension(shell: Any) -> None:
    """Make every cell of this kernel wait for its turn; without ``RABBIT_LAB_TURNS`` none does."""
    if folder := os.environ.get(VARIABLE):
        turns = Turns(Path(folder))
        shell.events.register("pre_run_cell", turns.take)
        shell.events.register("post_run_cell", turns.give_back)


def _try(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
