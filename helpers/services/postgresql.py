"""PostgreSQL of ``DATABASE_URL``, of Docker Compose or private; a scratch schema per process."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from helpers.errors import ServiceMissingError, ServiceNotReadyError, UsageError
from helpers.machine import addresses, apt, docker
from helpers.services import postgresql_cluster as cluster
from helpers.services.private import switched_off

if TYPE_CHECKING:
    import psycopg

    from helpers.services.postgresql_scratch import Scratch

NAME = "PostgreSQL"
PACKAGE = "postgresql"
COMPOSE_SERVICE = "postgres"
COMPOSE_LOGIN = "lab"  # user, password and database of docker-compose.yml
PROFILE = f"docker compose --profile postgres up --detach {COMPOSE_SERVICE}"
CONNECT_TIMEOUT_S = 5

_lock = threading.RLock()
_server: "Server | None" = None
_scratch: "Scratch | None" = None


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that answers; ``source`` says where it comes from."""

    url: str
    source: str
    version: str

    def __repr__(self) -> str:
        """Return one line, without the password."""
        return f"Server({NAME} {self.version}, {self.source})"


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is.

    Whether the server of ``DATABASE_URL`` answers is not tested here, but by `find`.
    """
    if reason := switched_off():
        return f"{NAME} is not used: {reason}."
    if addresses.given("DATABASE_URL") or _server is not None or cluster.why_not() is None:
        return None
    if docker.address_of(COMPOSE_SERVICE, 5432) is not None:
        return None
    local = "`brew install postgresql`"
    if apt.has_apt():
        local = f"`sudo apt-get install {PACKAGE}` (its system service may stay stopped)"
    return (
        f"There is no {NAME} here ({cluster.why_not()}): {local}; or `{PROFILE}`;"
        " or set DATABASE_URL=postgresql://user:password@host:5432/database."
    )


def find() -> Server:
    """Return the server that is used; start a private one when there is no other.

    The ways, in this order: ``DATABASE_URL``, which is never started or stopped; the Compose
    profile ``postgres`` if it runs; a private server of the programs that are installed here. The
    system's own service is not touched. The result is remembered.

    Raises:
        ServiceMissingError: there is none; see ``missing``.
        ServiceNotReadyError: it does not start or refuses the login.
    """
    global _server  # noqa: PLW0603  (one server per process)
    with _lock:
        if _server is None:
            _server = _search()
        return _server


def url() -> str:
    """Return the URL of this process's scratch schema; made at the first call, empty.

    It is removed when the process ends. The next process removes those of killed processes.
    The URL holds a password: hand it to child processes, do not print it.

    Raises:
        ServiceMissingError: there is no PostgreSQL; see ``missing``.
        ServiceNotReadyError: it does not start, or refuses the login or the schema.

    Source: PostgreSQL documentation, "Schemas: the schema search path".
    """
    global _scratch  # noqa: PLW0603
    from helpers.services.postgresql_scratch import Scratch

    with _lock:
        if _scratch is None or not _scratch.is_ours:
            _scratch = Scratch(find().url)
        return _with_options(find().url, _scratch.name)


def connect(**parameters: Any) -> "psycopg.Connection[Any]":
    """Open a connection whose tables are those of this process's scratch schema.

    Args:
        parameters: any keyword of ``psycopg.connect``, such as ``autocommit=True``.

    Raises:
        ServiceMissingError: there is no PostgreSQL; see ``missing``.
        ServiceNotReadyError: it does not answer, or refuses the login.
        UsageError: psycopg does not know a keyword.
    """
    import psycopg

    chosen = {"connect_timeout": CONNECT_TIMEOUT_S} | parameters
    target = url()
    try:
        return psycopg.connect(target, **chosen)
    except psycopg.OperationalError as error:
        raise ServiceNotReadyError(f"no connection to {NAME}: {_words(error)}") from None
    except psycopg.ProgrammingError as error:
        raise UsageError(f"psycopg refuses a parameter: {_words(error)}") from None


def clean() -> None:
    """Empty the scratch schema: what each experiment starts with.

    Connections that an interrupted cell left open are ended, so that their locks are gone. After
    a restart of the server, or of the private one, there is a new schema.

    Raises:
        ServiceMissingError: there is no PostgreSQL; see ``missing``.
        ServiceNotReadyError: it does not answer.
    """
    url()
    assert _scratch is not None
    try:
        _scratch.empty()
    except ServiceNotReadyError:
        forget()
        url()


def waiting() -> int:
    """Return how many connections to the scratch schema wait for a lock right now.

    Raises:
        ServiceMissingError: there is no PostgreSQL; see ``missing``.
        ServiceNotReadyError: it does not answer.

    Source: PostgreSQL documentation, "The Cumulative Statistics System: pg_stat_activity".
    """
    url()
    assert _scratch is not None
    return _scratch.waiting()


def version() -> str:
    """Return the server's version, like "15.18"."""
    return find().version


def forget() -> None:
    """Remove the scratch schema now, and make the next call look for a server again."""
    global _server, _scratch  # noqa: PLW0603
    with _lock:
        if _scratch is not None:
            _scratch.remove()
        _server = _scratch = None


def describe() -> str:
    """Return where the server comes from, for the doctor; none is started.

    Raises:
        ServiceNotReadyError: the server of ``DATABASE_URL`` does not answer or refuses the login.
        UsageError: ``DATABASE_URL`` is not a URL of PostgreSQL.
    """
    if given := addresses.given("DATABASE_URL"):
        return f"version {_look(_checked(given), 'DATABASE_URL').version} (DATABASE_URL)"
    if docker.address_of(COMPOSE_SERVICE, 5432) is not None:
        return f"is up ({docker.SOURCE})"
    state = "is up" if cluster.is_running() else "is installed, and started when needed"
    return f"{state} ({cluster.SOURCE})"


def is_running() -> bool:
    """Return whether the private server of this checkout runs."""
    return cluster.is_running()


def stop() -> str | None:
    """Stop the private server and delete its data; another server is left alone.

    Returns:
        What was stopped; None when it was not running.
    """
    forget()
    return f"private {NAME}" if cluster.stop() else None


def _search() -> Server:
    if reason := missing():
        raise ServiceMissingError(reason)
    if given := addresses.given("DATABASE_URL"):
        return _look(_checked(given), "DATABASE_URL")
    if address := docker.address_of(COMPOSE_SERVICE, 5432):
        login = COMPOSE_LOGIN
        with suppress(ServiceNotReadyError):  # it may be stopping
            return _look(f"postgresql://{login}:{login}@{address}/{login}", docker.SOURCE)
    return _look(cluster.start(), cluster.SOURCE)


def _look(given: str, source: str) -> Server:
    import psycopg

    try:
        with psycopg.connect(given, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            text = connection.info.parameter_status("server_version") or "?"
    except psycopg.Error as error:
        raise ServiceNotReadyError(f"no connection to {NAME} ({source}): {_words(error)}") from None
    return Server(given, source, text.split()[0])


def _checked(given: str) -> str:
    form, schemes = "postgresql://user:password@host:5432/database", ("postgresql", "postgres")
    return addresses.checked_url("DATABASE_URL", given, example=form, schemes=schemes)


def _with_options(given: str, schema: str) -> str:
    parts = urlsplit(given)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -csearch_path={schema}".strip()
    query["application_name"] = schema
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def _words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].removeprefix("connection failed: ")[:300] if lines else type(error).__name__
