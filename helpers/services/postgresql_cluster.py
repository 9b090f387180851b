"""A private PostgreSQL server: own data, own port, loopback only, never as root."""

import os
import pwd
import re
import secrets
import shutil
import signal
from pathlib import Path

from helpers.errors import ServiceNotReadyError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.machine.ports import free_port_numbers
from helpers.machine.processes import clean_environment
from helpers.machine.run import run
from helpers.services.private import PrivateService, find_program

NAME = "PostgreSQL"
SOURCE = "private server"
# Debian keeps the server's programs off the PATH, one folder per major version.
DEBIAN = Path("/usr/lib/postgresql")
PLACES = ("/opt/homebrew/opt/postgresql/bin", "/usr/local/pgsql/bin", "/usr/pgsql/bin")
USERS = ("postgres", "nobody")  # it does not run as root
USER = "lab"
LOCK_TIMEOUT_S = 120.0
START_TIMEOUT_S = 60.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a path of a socket may only be 107 bytes long
    "max_connections": "60",
    "shared_buffers": "32MB",
    "logging_collector": "off",
}


def why_not() -> str | None:
    """Return why no private server can be started here, or None when one can."""
    if _programs() is None:
        return "no server programs are installed"
    if os.geteuid() == 0 and _user() is None:
        return f"it does not run as root, and there is no user {' or '.join(USERS)}"
    return None


def start() -> str:
    """Return the URL of the private server that this checkout shares; start it unless it runs.

    Raises:
        ServiceNotReadyError: it does not start; with the end of its log.
    """
    with exclusive(home() / "postgresql.lock", timeout_s=LOCK_TIMEOUT_S):
        service = _noted()
        if service.is_running and "url" in service.noted:
            return str(service.noted["url"])
        try:
            return _start_fresh(service)
        except BaseException:
            service.remove()
            raise


def is_running() -> bool:
    """Return whether the private server of this checkout runs."""
    return _noted().is_running


def stop() -> bool:
    """Stop the private server and delete its data.

    Returns:
        Whether it was running.
    """
    with exclusive(home() / "postgresql.lock", timeout_s=LOCK_TIMEOUT_S):
        return _noted().remove()


def _noted() -> PrivateService:
    # SIGQUIT ends it at once and frees its shared memory, which SIGKILL would leave.
    folder = home() / "postgresql"
    service = PrivateService(folder, what=NAME, politely=signal.SIGQUIT)
    service.load()
    return service


def _start_fresh(service: PrivateService) -> str:
    programs, user = _programs(), _user()
    assert programs is not None
    data = service.lay_out(user=user)
    cluster = data / "cluster"
    password = secrets.token_hex(16)
    _make_cluster(programs, cluster, password, user)
    (port,) = free_port_numbers(1)
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    command = [str(programs / "postgres"), "-D", str(cluster), "-p", str(port), *options]
    url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"

    def is_ready() -> bool:
        import psycopg

        try:
            psycopg.connect(url, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    service.start(
        command, mark=str(cluster), is_ready=is_ready, timeout_s=START_TIMEOUT_S, user=user
    )
    service.note(url=url)
    return url


def _make_cluster(programs: Path, cluster: Path, password: str, user: str | None) -> None:
    # In a file, because every user of the machine can read a command line.
    secret = cluster.with_name("password")
    secret.touch(mode=0o600)
    secret.write_text(f"{password}\n")
    if user is not None:
        shutil.chown(secret, user)
    command = [
        *(str(programs / "initdb"), "--pgdata", str(cluster), "--username", USER),
        *("--auth", "scram-sha-256", "--pwfile", str(secret)),
        *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
    ]
    try:
        done = run(
            command,
            timeout_s=START_TIMEOUT_S,
            error=ServiceNotReadyError,
            name="initdb",
            environment=clean_environment(),
            folder=cluster.parent,
            user=user,
        )
    finally:
        secret.unlink()
    if done.returncode:
        words = done.stderr.strip().splitlines()
        raise ServiceNotReadyError(f"initdb failed: {words[-1] if words else done.returncode}")


def _programs() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``: on the PATH, else the newest version."""
    debian = sorted(
        (path for path in DEBIAN.glob("*/bin") if re.fullmatch(r"\d+", path.parent.name)),
        key=lambda path: int(path.parent.name),
        reverse=True,
    )
    found = find_program("postgres", *map(str, debian), *PLACES)
    folders = [Path(found).parent, Path(found).resolve().parent] if found else []
    return next((folder for folder in folders if shutil.which("initdb", path=folder)), None)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in USERS if name in known), None)
