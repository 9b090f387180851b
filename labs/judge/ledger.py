"""Count the commits in the store from outside, and compare them with those that were reported.

What runs in a learner's process can be replaced there. So the judge reads from SQLite's own files
how many transactions were committed: each must lie between a boundary before a write and the same
thread's boundary after it, or else no fault was ever tried there.

Source: https://www.sqlite.org/walformat.html, "The WAL-Index Header", iChange;
https://www.sqlite.org/fileformat.html, "File change counter" and "File format version numbers".
"""

import os
import sqlite3
import struct
import threading
from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

WRITE_VERSION, WAL = 18, 2  # offset of the file's format, and the format with a WAL
CHANGE_COUNTER = (24, ">I")  # offset and form, in the database file
TRANSACTIONS = (8, "=I")  # in the WAL's index
WINDOWS = ("before effect", "before commit", "before statement")
UNSEEN = (
    "its store was written to without the judge seeing it, so it cannot be judged: use sqlite3 and "
    "pika as they are"
)


class Ledger:
    """Commits of one store: those in its file, and those that were reported."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._path: Path | None = None
        self._keeper: sqlite3.Connection | None = None  # keeps SQLite from deleting WAL and index
        self._files: list[int] = []
        self._base = self._known = self._allowed = 0
        self._open: dict[Hashable, str] = {}  # who writes, and the boundary before the write
        self._paused: set[Hashable] = set()  # who changes the journal's kind
        self._stale = False  # whether the journal's kind has to be looked up

    def open(self, path: Path) -> None:
        """Begin to count the commits of a store that no process uses yet."""
        with self._lock:
            self.close()
            self._path = path
            self._known = self._allowed = 0
            self._look_anew()

    def close(self) -> None:
        """End the count. What is still running may write as it likes."""
        with self._lock:
            self._let_go()
            # Closing any descriptor of a file ends the process's locks on it: files come last.
            for file in self._files:
                os.close(file)
            self._files.clear()
            self._open.clear()
            self._paused.clear()
            self._path = None

    def problem(self) -> str:
        """Return why the reports cannot be believed, or ""."""
        with self._lock:
            return UNSEEN if self._count() > self._allowed + len(self._open) else ""

    def note(self, who: Hashable, at: str, *, late: bool = False, pragma: str = "") -> str:
        """Note a boundary.

        Args:
            who: the thread that reached it.
            at: the boundary.
            late: whether SQLite commits after it, when the last row has been read.
            pragma: the setting that is about to change.

        Returns:
            Why the reports cannot be believed, or "".
        """
        with self._lock:
            before = self._open.get(who, "")
            if before and at == before.replace("before", "after"):
                self._credit(late=late)
            self._open.pop(who, None)
            self._resume(who)
            problem = self.problem()
            if at in WINDOWS:
                self._open[who] = at
                if pragma == "journal_mode":
                    self._paused.add(who)
                    self._let_go()
            return problem

    def gone(self, who: Hashable) -> None:
        """Note the end of a thread, which may have come in the middle of a write."""
        with self._lock:
            if self._open.pop(who, ""):
                self._credit()
            self._resume(who)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the judge a connection for one transaction, which is committed at the end."""
        assert self._path is not None
        with closing(sqlite3.connect(self._path, timeout=10)) as db, db:
            with self._lock:
                self._open[db] = "before effect"
            try:
                yield db
                db.commit()
            finally:
                self.gone(db)

    def _credit(self, *, late: bool = False) -> None:
        if late or self._count() > self._allowed:
            self._allowed += 1

    def _resume(self, who: Hashable) -> None:
        if who in self._paused:
            self._paused.discard(who)
            self._stale = True

    def _let_go(self) -> None:
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _look_anew(self) -> None:
        """Open the file that counts, which depends on the journal's kind."""
        assert self._path is not None
        self._stale = True
        if not self._files:
            self._files.append(os.open(self._path, os.O_RDONLY))
        self._counter, self._form = self._files[0], CHANGE_COUNTER
        if self._has_wal():
            self._keeper = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
            try:
                self._keeper.execute("SELECT * FROM sqlite_master").fetchall()
            except sqlite3.OperationalError:  # the journal's kind is still being changed
                self._let_go()
                return
            self._counter = os.open(f"{self._path}-shm", os.O_RDONLY)
            self._files.append(self._counter)
            self._form = TRANSACTIONS
        self._base = self._read() - self._known
        self._stale = False

    def _has_wal(self) -> bool:
        return os.pread(self._files[0], 1, WRITE_VERSION)[0] == WAL

    def _read(self) -> int:
        offset, form = self._form
        number: int = struct.unpack(form, os.pread(self._counter, 4, offset))[0]
        return number

    def _count(self) -> int:
        """Return the number of commits since `open`; while the journal changes, the last one."""
        if self._path is None or self._paused:
            return self._known
        if self._stale or (self._form == CHANGE_COUNTER and self._has_wal()):
            self._look_anew()
        if not self._stale:
            self._known = self._read() - self._base
        return self._known
