"""Start and stop a broker with Docker Compose."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.errors import BrokerError
from helpers.machine import docker
from helpers.machine.docker import ASK_TIMEOUT_S, LOGIN, SOURCE, ComposeUnusableError, in_project
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.machine.telling import say
from helpers.rabbitmq import ready
from helpers.rabbitmq.model import Broker

SERVICE = "rabbitmq"
LOCK_TIMEOUT_S = docker.UP_TIMEOUT_S + 60
MARK = "rabbit-lab:"  # begins each message of docker/rabbitmq-start.sh


def running() -> Broker | None:
    """Return the broker that was started with Docker Compose, if it still answers."""
    noted = _noted()
    try:
        return _look(noted["amqp"], noted["management"], noted["prometheus"])
    except (KeyError, BrokerError):
        return None


def start(*, timeout_s: float) -> Broker:
    """Start the service ``rabbitmq`` of ``docker-compose.yml`` and wait until it is ready.

    Args:
        timeout_s: how long the broker may take after its container is healthy, in seconds.

    Raises:
        ComposeUnusableError: no image, a port is taken, or the container is not healthy.
    """
    with exclusive(home() / "compose.lock", timeout_s=LOCK_TIMEOUT_S):
        if broker := running():
            return broker
        was_running = bool(_output("ps", "--quiet", "--status", "running", SERVICE))
        say("Starting RabbitMQ with Docker Compose; the first time, that fetches its image …")
        done = in_project("up", "--detach", "--wait", SERVICE, timeout_s=docker.UP_TIMEOUT_S)
        try:
            if done is None or done.returncode:
                raise ComposeUnusableError(_reason_from_container() or docker.reason_of(done))
            amqp, management, prometheus = (_port(port) for port in (5672, 15672, 15692))
            broker = _look(amqp, management, prometheus, timeout_s=min(timeout_s, 30.0))
        except BrokerError as error:
            if not was_running:
                in_project("rm", "--stop", "--force", SERVICE, timeout_s=ASK_TIMEOUT_S * 4)
                if not _output("ps", "--quiet"):  # no other service of the project runs
                    in_project("down", timeout_s=ASK_TIMEOUT_S * 4)
            say(f"Docker Compose gives no broker: {error}.")
            raise ComposeUnusableError(str(error)) from None
        noted = {"amqp": amqp, "management": management, "prometheus": prometheus}
        _note_file().write_text(json.dumps(noted | {"ours": not was_running}))
        return broker


def stop() -> bool:
    """Stop the container that `start` started; one that ran before goes on.

    Returns:
        Whether a container was stopped.

    Raises:
        BrokerError: ``docker compose down`` fails.
    """
    noted = _noted()
    if noted.get("ours"):
        done = in_project("down", timeout_s=ASK_TIMEOUT_S * 4)
        if done is None or done.returncode:
            raise BrokerError(f"`docker compose down` failed{docker.last_words(done)}")
    _note_file().unlink(missing_ok=True)
    return bool(noted.get("ours"))


def _look(amqp: str, management: str, prometheus: str, *, timeout_s: float = 5.0) -> Broker:
    broker = ready.look(
        f"amqp://{LOGIN}@{amqp}/%2F", f"http://{management}", source=SOURCE, timeout_s=timeout_s
    )
    # The broker reports the port inside its container.
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


def _reason_from_container() -> str:
    """Return why its container ended, as the container reports it; "" if it reports nothing."""
    if container := _output("ps", "--all", "--quiet", SERVICE):
        state = docker.docker("inspect", "--format", "{{.State.OOMKilled}}", container)
        if state is not None and state.stdout.strip() == "true":
            return (
                "its container was killed for its memory: set RABBITMQ_MEMORY to more, such as 2g"
            )
    log = _output("logs", "--no-log-prefix", SERVICE).splitlines()
    return next((line.split(MARK, 1)[1].strip() for line in reversed(log) if MARK in line), "")
