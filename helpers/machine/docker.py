"""Docker and Docker Compose on this machine: whether they work, and how to call them."""

import hashlib
import os
import shutil
import subprocess

from helpers.errors import BrokerError, RabbitLabError
from helpers.machine.paths import ROOT
from helpers.machine.ports import port_answers
from helpers.machine.run import run

SOURCE = "Docker Compose"
FILE = ROOT / "docker-compose.yml"
LOGIN = "lab:lab"
ASK_TIMEOUT_S = 15.0
UP_TIMEOUT_S = 600.0  # the first time, the image is fetched
CAUSES = (
    (("already allocated", "address already in use", "ports are not available"), "a port is taken"),
    (("unhealthy",), "the container did not become healthy"),
    (
        (
            "pull access denied",
            "manifest unknown",
            "manifest for",
            "failed to resolve",
            "no such host",
            "lookup ",
            "toomanyrequests",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "TLS handshake",
            "Client.Timeout",
            "not found",
        ),
        "the image cannot be had",
    ),
)


class ComposeUnusableError(BrokerError):
    """Docker Compose exists but provides no broker; the next way is tried."""


def why_not() -> str | None:
    """Return why Docker Compose is not used here, or None when it can be.

    ``RABBIT_LAB_DOCKER=off`` goes on to the next way at once.
    """
    if os.environ.get("RABBIT_LAB_DOCKER") == "off":
        return "RABBIT_LAB_DOCKER is off"
    if shutil.which("docker") is None:
        return "there is no docker command"
    engine = docker("version", "--format", "{{.Server.Version}}")
    if engine is None or engine.returncode:
        return f"no Docker engine answers{last_words(engine)}"
    plugin = docker("compose", "version")
    if plugin is None or plugin.returncode:
        return "this docker has no `docker compose`"
    return None


def address_of(service: str, port: int) -> str | None:
    """Return the address of a service that runs in Docker Compose, or None.

    Args:
        service: its name in ``docker-compose.yml``; this function never starts it.
        port: the port inside of its container.

    Returns:
        Host and port on this machine, ``127.0.0.1:5432``; inside of the Compose network
        (``RABBIT_LAB_IN_COMPOSE`` is set) its name and that port.
    """
    if os.environ.get("RABBIT_LAB_IN_COMPOSE"):
        return f"{service}:{port}" if port_answers(service, port) else None
    if why_not() is not None:
        return None
    # First this checkout's project, then the one that plain `docker compose` chooses here.
    for project in (_project(), None):
        done = in_project("port", service, str(port), project=project, timeout_s=ASK_TIMEOUT_S)
        if done is not None and done.returncode == 0 and not done.stdout.strip().endswith(":0"):
            return done.stdout.strip().replace("0.0.0.0", "127.0.0.1") or None
    return None


def _project() -> str:
    # Two checkouts in folders of the same name must not share containers.
    named = os.environ.get("COMPOSE_PROJECT_NAME")
    return named or f"rabbit-lab-{hashlib.sha1(str(ROOT).encode()).hexdigest()[:8]}"


def in_project(
    *arguments: str, timeout_s: float, project: str | None = ""
) -> subprocess.CompletedProcess[str] | None:
    """Run ``docker compose`` on this checkout's file; None if it cannot be run or takes too long.

    Args:
        arguments: what follows ``docker compose``.
        timeout_s: how long it may take, in seconds.
        project: "" for this checkout's own, None for the one that Compose chooses by itself.
    """
    name = _project() if project == "" else project
    named = () if name is None else ("--project-name", name)
    return docker("compose", *named, "--file", str(FILE), *arguments, timeout_s=timeout_s)


def docker(
    *arguments: str, timeout_s: float = ASK_TIMEOUT_S
) -> subprocess.CompletedProcess[str] | None:
    """Run ``docker``; None when it cannot be run, or takes more than ``timeout_s`` seconds."""
    try:
        return run(("docker", *arguments), timeout_s=timeout_s)
    except RabbitLabError:
        return None


def reason_of(done: subprocess.CompletedProcess[str] | None) -> str:
    """Return why ``docker compose up`` failed: a known cause, and the last line of its output."""
    if done is None:
        return f"`docker compose up` took more than {UP_TIMEOUT_S:g} s"
    for signs, cause in CAUSES:
        if any(sign in done.stderr for sign in signs):
            return f"{cause}{last_words(done)}"
    return f"`docker compose up` failed{last_words(done)}"


def last_words(done: subprocess.CompletedProcess[str] | None) -> str:
    """Return the last line of a failed command's error output, in brackets; "" if it has none."""
    if done is None:
        return " in time"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f" ({lines[-1][:200].rstrip('.')})" if lines else ""
