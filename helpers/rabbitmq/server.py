"""Find the RabbitMQ server that is installed on this machine."""

import os
import shutil
from pathlib import Path

from helpers.machine.processes import clean_environment

CTL_TIMEOUT_S = 120.0  # `rabbitmqctl` takes a second, and more than thirty on a loaded machine
# Debian's and Red Hat's /usr/sbin/rabbitmq-server only works for root and starts the
# system's own node, so the script behind it comes first. Then Homebrew and generic builds.
PLACES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/rabbitmq/sbin/rabbitmq-server",
)


def server_script() -> Path | None:
    """Return the script that starts RabbitMQ in the foreground, or None.

    ``RABBIT_LAB_SERVER`` names one explicitly.
    """
    if named := os.environ.get("RABBIT_LAB_SERVER"):
        return Path(named) if os.access(named, os.X_OK) else None
    for place in PLACES:
        if os.access(place, os.X_OK):
            return Path(place)
    found = shutil.which("rabbitmq-server")
    return Path(found).resolve() if found and not _is_wrapper(Path(found)) else None


def why_no_server() -> str | None:
    """Return why no private node can be started here, or None when one can."""
    if server_script() is None:
        if named := os.environ.get("RABBIT_LAB_SERVER"):
            return f"RABBIT_LAB_SERVER names {named}, which cannot be executed"
        return "no rabbitmq-server is installed"
    path = clean_environment()["PATH"]
    if shutil.which("erl", path=path) is None:
        return "rabbitmq-server is installed, but Erlang's `erl` is not on the PATH"
    if epmd_program() is None:
        return "rabbitmq-server is installed, but Erlang's `epmd` is not on the PATH"
    return None


def epmd_program() -> str | None:
    """Return Erlang's port mapper: on the PATH or beside ``erl``."""
    path = clean_environment()["PATH"]
    if found := shutil.which("epmd", path=path):
        return found
    erl = shutil.which("erl", path=path)
    return shutil.which("epmd", path=str(Path(erl).resolve().parent)) if erl else None


def _is_wrapper(script: Path) -> bool:
    try:
        return "su rabbitmq" in script.read_text(errors="replace")
    except OSError:
        return True
