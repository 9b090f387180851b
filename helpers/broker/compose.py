"""A broker by Docker Compose."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.broker import ready
from helpers.broker.decisions import say
from helpers.broker.locks import exclusive
from helpers.broker.model import Broker
from helpers.broker.paths import ROOT, home
from helpers.errors import BrokerError

SOURCE = "Docker Compose"
FILE = ROOT / "docker-compose.yml"
SERVICE = "rabbitmq"
LOGIN = "lab:lab"
ASK_TIMEOUT_S = 15.0
UP_TIMEOUT_S = 600.0  # the first time, the image is fetched
LOCK_TIMEOUT_S = UP_TIMEOUT_S + 60
MARK = "rabbit-lab:"  # what docker/rabbitmq-start.sh begins its own sentences with
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
    """Docker Compose is there but does not give us a broker; the next way is tried."""


def running() -> Broker | None:
    """Return the broker that was started with Docker Compose, if it still answers."""
    noted = _noted()
    try:
        return _look(noted["amqp"], noted["management"], noted["prometheus"])
    except (KeyError, BrokerError):
        return None


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


def start(*, timeout_s: float) -> Broker:
    """Start the service ``rabbitmq`` of ``docker-compose.yml`` and wait until it is ready.

    Args:
        timeout_s: how long the broker may take after its container is healthy, in seconds.

    Raises:
        ComposeUnusableError: the image cannot be had, a port is taken, it is not healthy.
    """
    with exclusive(home() / "compose.lock", timeout_s=LOCK_TIMEOUT_S):
        if broker := running():
            return broker
        was_running = bool(_output("ps", "--quiet", "--status", "running", SERVICE))
        say("Starting RabbitMQ with Docker Compose; the first time, that fetches its image …")
        done = in_project("up", "--detach", "--wait", SERVICE, timeout_s=UP_TIMEOUT_S)
        try:
            if done is None or done.returncode:
                raise ComposeUnusableError(_own_words() or reason_of(done))
            amqp, management, prometheus = (_port(port) for port in (5672, 15672, 15692))
            broker = _look(amqp, management, prometheus, timeout_s=min(timeout_s, 30.0))
        except BrokerError as error:
            if not was_running:
                in_project("rm", "--stop", "--force", SERVICE, timeout_s=ASK_TIMEOUT_S * 4)
                if not _output("ps", "--quiet"):  # nothing else of the project is up
                    in_project("down", timeout_s=ASK_TIMEOUT_S * 4)
            say(f"Docker Compose gives no broker: {error}.")
            raise ComposeUnusableError(str(error)) from None
        noted = {"amqp": amqp, "management": management, "prometheus": prometheus}
        _note_file().write_text(json.dumps(noted | {"ours": not was_running}))
        return broker


def stop() -> bool:
    """Stop what `start` started; a container that ran before is left alone.

    Returns:
        Whether there was something to stop.

    Raises:
        BrokerError: Docker does not stop it.
    """
    noted = _noted()
    if noted.get("ours"):
        done = in_project("down", timeout_s=ASK_TIMEOUT_S * 4)
        if done is None or done.returncode:
            raise BrokerError(f"`docker compose down` failed{last_words(done)}")
    _note_file().unlink(missing_ok=True)
    return bool(noted.get("ours"))


def address_of(service: str, port: int) -> str | None:
    """Return where a service that somebody started with Docker Compose listens, or None.

    Args:
        service: its name in ``docker-compose.yml``; it is never started by this.
        port: the port inside of its container.

    Returns:
        Host and port on this machine, ``127.0.0.1:5432``; inside of the Compose network
        (``RABBIT_LAB_IN_COMPOSE`` is set) its name and that port.
    """
    if os.environ.get("RABBIT_LAB_IN_COMPOSE"):
        return f"{service}:{port}" if ready.port_answers(service, port) else None
    if why_not() is not None:
        return None
    # Our project first, then the one that plain `docker compose` takes in this folder.
    for project in (_project(), None):
        done = in_project("port", service, str(port), project=project, timeout_s=ASK_TIMEOUT_S)
        if done is not None and done.returncode == 0 and not done.stdout.strip().endswith(":0"):
            return done.stdout.strip().replace("0.0.0.0", "127.0.0.1") or None
    return None


def _look(amqp: str, management: str, prometheus: str, *, timeout_s: float = 5.0) -> Broker:
    broker = ready.look(
        f"amqp://{LOGIN}@{amqp}/%2F", f"http://{management}", source=SOURCE, timeout_s=timeout_s
    )
    # The broker only knows the port inside of its container.
    return replace(broker, prometheus_url=f"http://{prometheus}")


def _noted() -> dict[str, Any]:
    try:
        noted = json.loads(_note_file().read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note_file() -> Path:
    return home() / "compose.json"


def _port(port: int) -> str:
    address = _output("port", SERVICE, str(port))
    if not address:
        raise ComposeUnusableError(f"its container does not publish port {port}")
    return address.replace("0.0.0.0", "127.0.0.1")


def _output(*arguments: str) -> str:
    done = in_project(*arguments, timeout_s=ASK_TIMEOUT_S)
    return done.stdout.strip() if done is not None and done.returncode == 0 else ""


def _project() -> str:
    # Two checkouts in folders of the same name must not share containers.
    named = os.environ.get("COMPOSE_PROJECT_NAME")
    return named or f"rabbit-lab-{hashlib.sha1(str(ROOT).encode()).hexdigest()[:8]}"


def in_project(
    *arguments: str, timeout_s: float, project: str | None = ""
) -> subprocess.CompletedProcess[str] | None:
    """Run ``docker compose`` on our file; None when it cannot be run, or takes too long.

    Args:
        arguments: what follows ``docker compose``.
        timeout_s: how long it may take, in seconds.
        project: "" for this checkout's own, None for the one that Compose takes by itself.
    """
    name = _project() if project == "" else project
    named = () if name is None else ("--project-name", name)
    return docker("compose", *named, "--file", str(FILE), *arguments, timeout_s=timeout_s)


def docker(
    *arguments: str, timeout_s: float = ASK_TIMEOUT_S
) -> subprocess.CompletedProcess[str] | None:
    """Run ``docker``; None when it cannot be run, or takes more than ``timeout_s`` seconds."""
    try:
        return subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def reason_of(done: subprocess.CompletedProcess[str] | None) -> str:
    """Return why ``docker compose up`` failed: a cause that is known, and its last words."""
    if done is None:
        return f"`docker compose up` took more than {UP_TIMEOUT_S:g} s"
    for signs, cause in CAUSES:
        if any(sign in done.stderr for sign in signs):
            return f"{cause}{last_words(done)}"
    return f"`docker compose up` failed{last_words(done)}"


def _own_words() -> str:
    """Return what its container says about why it ended, or "" when it says nothing."""
    container = _output("ps", "--all", "--quiet", SERVICE)
    state = docker("inspect", "--format", "{{.State.OOMKilled}}", container) if container else None
    if state is not None and state.stdout.strip() == "true":
        return "its container was killed for its memory: set RABBITMQ_MEMORY to more, such as 2g"
    log = _output("logs", "--no-log-prefix", SERVICE).splitlines()
    return next((line.split(MARK, 1)[1].strip() for line in reversed(log) if MARK in line), "")


def last_words(done: subprocess.CompletedProcess[str] | None) -> str:
    """Return the last line of a failed command's complaint, in brackets; "" when it is silent."""
    if done is None:
        return " in time"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f" ({lines[-1][:200].rstrip('.')})" if lines else ""
