"""A scratch schema for one process, in a database that others may use, too."""

import atexit
import os
import secrets
from contextlib import suppress

import psycopg
from psycopg import sql

from helpers.errors import ServiceNotReadyError

PREFIX = "rabbit_lab_"
LOCK_TIMEOUT_MS = 5000
# A free lock means that the owner process is gone.
IN_USE = "SELECT pg_try_advisory_lock(hashtext(%s))"
LEFT = """
    SELECT nspname FROM pg_namespace
    WHERE starts_with(nspname, %s) AND pg_has_role(nspowner, 'MEMBER')
"""
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
    WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()
"""
WAITING = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'
"""


class Scratch:
    """The schema, and the connection whose lock shows that its process is alive."""

    def __init__(self, url: str) -> None:
        self.name = f"{PREFIX}{secrets.token_hex(6)}"
        self._pid = os.getpid()
        try:
            self._keeper = psycopg.connect(
                url,
                autocommit=True,
                application_name=f"{self.name} keeper",
                options=f"-clock_timeout={LOCK_TIMEOUT_MS} -cclient_min_messages=error",
                connect_timeout=5,
            )
            self._keeper.execute(IN_USE, [self.name])
            self._execute("CREATE SCHEMA {}")
            self.swept = self._sweep()
        except psycopg.Error as error:
            raise ServiceNotReadyError(f"PostgreSQL gives no scratch schema: {error}") from None
        atexit.register(self.remove)

    @property
    def is_ours(self) -> bool:
        """Whether it exists and was made by this process, not by the process that forked it."""
        return self._pid == os.getpid() and not self._keeper.closed and not self._keeper.broken

    def empty(self) -> None:
        """Delete its content; end the connections that hold locks.

        Raises:
            ServiceNotReadyError: the server refuses or does not answer.
        """
        try:
            self._keeper.execute(END_OTHERS, [self.name])
            self._execute("DROP SCHEMA IF EXISTS {} CASCADE")
            self._execute("CREATE SCHEMA {}")
        except psycopg.Error as error:
            raise ServiceNotReadyError(f"the scratch schema cannot be emptied: {error}") from None

    def waiting(self) -> int:
        """Return how many connections to the schema wait for a lock."""
        try:
            ((count,),) = self._keeper.execute(WAITING, [self.name]).fetchall()
        except psycopg.Error as error:
            raise ServiceNotReadyError(
                f"PostgreSQL cannot count its waiting connections: {error}"
            ) from None
        return int(count)

    def remove(self) -> None:
        """Delete the schema; ignore a server that has stopped."""
        atexit.unregister(self.remove)
        if not self.is_ours:
            return
        with suppress(psycopg.Error):
            self._keeper.execute(END_OTHERS, [self.name])
            self._execute("DROP SCHEMA IF EXISTS {} CASCADE")
        self._keeper.close()

    def _sweep(self) -> list[str]:
        swept: list[str] = []
        for (name,) in self._keeper.execute(LEFT, [PREFIX]).fetchall():
            if name == self.name:
                continue
            ((free,),) = self._keeper.execute(IN_USE, [name]).fetchall()
            if free:
                with suppress(psycopg.errors.LockNotAvailable):
                    self._keeper.execute(END_OTHERS, [name])
                    self._execute("DROP SCHEMA IF EXISTS {} CASCADE", name)
                    swept.append(name)
                self._keeper.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
        return swept

    def _execute(self, statement: str, name: str | None = None) -> None:
        # A name cannot be a parameter. These consist of letters, digits and underscores.
        self._keeper.execute(sql.SQL(statement).format(sql.Identifier(name or self.name)))
