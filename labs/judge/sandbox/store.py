"""Patch sqlite3 so that a learner's code stops before and after each write and each commit.

Everything else is sqlite3 as it is, with a real file. Statements that write and are no effect, such
as CREATE TABLE, are reported, too: the judge compares the commits that it was told of with those
that the file has.
"""

import _sqlite3
import functools
import re
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from labs.judge.faults import STORE
from labs.judge.sandbox import line
from labs.judge.sandbox.current import message

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
COMMITS = ("COMMIT", "END", "RELEASE")
# What commits nothing; anything else may.
READS = (
    "", "ATTACH", "BEGIN", "DETACH", "EXPLAIN", "PRAGMA", "ROLLBACK", "SAVEPOINT", "SELECT",
    "VALUES",
)  # fmt: skip
FIRST_WORD = re.compile(r"(?:\s|;|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z]*)", re.DOTALL)
WRITING_PRAGMA = re.compile(
    r"\bPRAGMA\s+(?:\w+\.)?(journal_mode|user_version|application_id|optimize)\b", re.IGNORECASE
)
RETURNING = re.compile(r"\bRETURNING\b", re.IGNORECASE)
BUSY_S, LOOK_S = 5.0, 0.01
LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL, since Python 3.12


def install() -> None:
    """Install the boundaries in sqlite3; once per process."""
    connect = sqlite3.connect

    @functools.wraps(connect)
    def connect_store(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        if len(args) < 2:
            kwargs.setdefault("timeout", 10.0)
        if len(args) < 6:
            kwargs.setdefault("factory", Store)
        return connect(*args, **kwargs)

    for module in (sqlite3, sqlite3.dbapi2, _sqlite3):
        for name, value in (("connect", connect_store), ("Connection", Store), ("Cursor", Cursor)):
            setattr(module, name, value)


def ask(at: str, **details: Any) -> None:
    """Report a boundary at a write, which may fail as SQLite fails.

    Raises:
        sqlite3.OperationalError: the judge lets the write fail.

    Source: https://www.sqlite.org/rescode.html, SQLITE_BUSY, SQLITE_FULL and SQLITE_IOERR.
    """
    if failure := line.ask(at, message(), **details):
        raise sqlite3.OperationalError(STORE[failure])


def kind(sql: str) -> str:
    """Return "effect", "commit", "statement" for others that write, or "" for one that doesn't."""
    word = _first_word(sql)
    if word in WRITES:
        return "effect"
    if word in COMMITS:
        return "commit"
    return "" if word in READS and not WRITING_PRAGMA.search(sql) else "statement"


def _first_word(sql: str) -> str:
    match = FIRST_WORD.match(sql)
    return match[1].upper() if match else ""


class Cursor(sqlite3.Cursor):
    """A cursor with boundaries around writes and commits."""

    def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        """Run a statement, with a boundary before and after a write or a commit."""
        what = kind(sql)
        if not what:
            super().execute(sql, parameters)
            return self
        setting = _setting(sql)
        ask(f"before {what}", pragma=setting)
        if setting == "journal_mode":
            # Its effect is complete when its row has been read; once more, it has none.
            self._patiently(sql, parameters)
        super().execute(sql, parameters)
        written = not self.connection.in_transaction
        if what == "statement":
            ask("after statement")
        elif written and RETURNING.search(sql):
            # SQLite commits when the last row has been read.
            ask("after effect", committed=True, rows=self.rowcount, late=True)
        else:
            ask(f"after {what}", committed=written, rows=self.rowcount)
        return self

    def _patiently(self, sql: str, parameters: Any) -> None:
        """Run a statement to its end, which waits for no lock by itself: the judge may be reading.

        Source: https://www.sqlite.org/c3ref/busy_handler.html: the handler is not always called.
        """
        end = time.monotonic() + BUSY_S
        while True:
            try:
                super().execute(sql, parameters).fetchall()
                return
            except sqlite3.OperationalError:
                if time.monotonic() >= end:
                    raise
                time.sleep(LOOK_S)

    def executemany(self, sql: str, parameters: Any) -> "Cursor":
        """Run a statement for each row, between two boundaries; one by one if each commits."""
        if _commits_each(self.connection):
            for row in parameters:
                self.execute(sql, row)
            return self
        ask("before effect")
        super().executemany(sql, parameters)
        ask("after effect", committed=not self.connection.in_transaction)
        return self

    def executescript(self, script: str) -> "Cursor":
        """Run the statements of a script one by one, with boundaries."""
        store = self.connection
        if getattr(store, "autocommit", LEGACY) != LEGACY:
            return self._run(script)
        store.commit()
        level, store.isolation_level = store.isolation_level, None
        try:
            return self._run(script)
        finally:
            if not store.in_transaction or level is not None:
                store.isolation_level = level

    def _run(self, script: str) -> "Cursor":
        for statement in statements(script):
            self.execute(statement)
            self.fetchall()
        return self


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; a trigger's semicolons end no statement."""
    statement = ""
    for part in re.split(r"(;)", script):
        statement += part
        if part == ";" and sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if _first_word(statement):
        yield statement


class Store(sqlite3.Connection):
    """A connection with boundaries around writes and commits."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a cursor with boundaries."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run a statement."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any) -> Any:
        """Run a statement for each row."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, script: str) -> Any:
        """Run the statements of a script."""
        return self.cursor().executescript(script)

    def commit(self) -> None:
        """Commit; between two boundaries, if a transaction is open."""
        if not self.in_transaction:
            return super().commit()
        ask("before commit")
        super().commit()
        ask("after commit", committed=True)
        return None

    def backup(self, target: sqlite3.Connection, **arguments: Any) -> None:
        """Copy this database into another, between two boundaries."""
        ask("before statement")
        super().backup(target, **arguments)
        ask("after statement")

    def __setattr__(self, name: str, value: Any) -> None:
        """Commit what is open, as sqlite3 does when the transactions' mode changes."""
        if (name, value) in (("isolation_level", None), ("autocommit", True)):
            self.commit()
        super().__setattr__(name, value)

    def __exit__(self, kind: Any, value: Any, trace: Any) -> Any:
        """End a ``with`` block: commit, or roll back after an error."""
        if kind is not None:
            self.rollback()
            return False
        try:
            self.commit()
        except sqlite3.Error:  # as sqlite3 does: what could not be committed is rolled back
            self.rollback()
            raise
        return False


def _commits_each(store: sqlite3.Connection) -> bool:
    mode = getattr(store, "autocommit", LEGACY)
    each = store.isolation_level is None if mode == LEGACY else bool(mode)
    return each and not store.in_transaction


def _setting(sql: str) -> str:
    pragma = WRITING_PRAGMA.search(sql)
    return pragma[1].lower() if pragma else ""
