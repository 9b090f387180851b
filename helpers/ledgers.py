"""Small databases for experiments: SQLite in a file or a schema in PostgreSQL, with one SQL."""

import re
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from helpers.errors import UsageError

Database = Literal["SQLite", "PostgreSQL"]
LOCK_TIMEOUT_S = 10


class Postgres:
    """A connection of psycopg that accepts parameters as ``:name``, like SQLite.

    A transaction begins with the first statement, also when that only reads.
    """

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url, connect_timeout=5)
        self._connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
        self._connection.commit()

    def execute(self, statement: str, values: Mapping[str, object] | None = None) -> Any:
        """Run a statement; the cursor that is returned has ``fetchall`` and ``rowcount``."""
        named: Any = re.sub(r":([a-z_]+)", r"%(\1)s", statement)
        return self._connection.execute(named, values)

    def commit(self) -> None:
        """Commit the transaction."""
        self._connection.commit()

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._connection.close()


def open_ledger(place: str) -> "closing[Any]":
    """Open a database for the time of a ``with`` block.

    Args:
        place: what `new_ledger` yields: a file of SQLite, or a URL of PostgreSQL.

    Returns:
        A context manager of a connection with ``execute``, ``commit``, ``rollback``. In SQLite the
        first write of a transaction begins it as IMMEDIATE: one writer at a time. A statement
        that waits for a lock fails after 10 s.
    """
    if place.startswith("postgresql:"):
        return closing(Postgres(place))
    return closing(sqlite3.connect(place, timeout=LOCK_TIMEOUT_S, isolation_level="IMMEDIATE"))


@contextmanager
def new_ledger(tables: Sequence[str], *, on: Database) -> Iterator[str]:
    """Make an empty database for the time of a ``with`` block.

    Args:
        tables: tables to create, like ``"charges (id TEXT, cents INTEGER)"``.
        on: "SQLite": a new file, removed at the end; "PostgreSQL": the scratch schema.

    Yields:
        Its place, for `open_ledger`, also in a child process.

    Raises:
        UsageError: no such database.
        ServiceMissingError: there is no PostgreSQL.
    """
    if on not in get_args(Database):
        raise UsageError(f"on must be one of {', '.join(get_args(Database))}, not {on!r}")
    with tempfile.TemporaryDirectory() as folder:
        if on == "SQLite":
            place = str(Path(folder) / "ledger.db")
        else:
            from helpers.services import postgresql

            postgresql.clean()
            place = postgresql.url()
        with open_ledger(place) as db:
            for table in tables:
                db.execute(f"CREATE TABLE {table}")
            db.commit()
        yield place
