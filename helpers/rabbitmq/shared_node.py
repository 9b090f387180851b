"""The private node that everything in this checkout shares."""

from pathlib import Path

from helpers.errors import BrokerError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.machine.telling import say
from helpers.rabbitmq.model import Broker
from helpers.rabbitmq.private_node import PrivateNode
from helpers.waits import wait_until

SOURCE = "private node"
LOCK_TIMEOUT_S = 120.0


def running() -> Broker | None:
    """Return the shared private node if it runs and is ready."""
    node = _noted()
    if not node.is_running:
        return None
    try:
        return node.look()
    except BrokerError:
        return None


def start(*, timeout_s: float) -> Broker:
    """Return the shared private node; start it, with empty data, unless it runs.

    If two processes call this at once, one of them starts the node.

    Args:
        timeout_s: how long the start may take, in seconds.

    Raises:
        BrokerNotFoundError: no RabbitMQ server is installed here.
        BrokerNotReadyError: it did not become ready; the message quotes its log.
    """
    with exclusive(_lock(), timeout_s=LOCK_TIMEOUT_S):
        node = _noted()
        if node.is_running and (broker := _wait_for(node, timeout_s=timeout_s)):
            return broker
        say("Starting a private RabbitMQ node; that takes a few seconds …")
        return node.start_fresh(timeout_s=timeout_s)


def stop() -> bool:
    """Stop the shared private node and its epmd, and delete its data.

    Returns:
        Whether it was running.
    """
    with exclusive(_lock(), timeout_s=LOCK_TIMEOUT_S):
        return _noted().remove()


def folder() -> Path:
    """Return the folder of the shared private node, which may not exist."""
    return home() / "node"


def _noted() -> PrivateNode:
    node = PrivateNode(folder(), source=SOURCE)
    node.load()
    return node


def _lock() -> Path:
    return home() / "node.lock"


def _wait_for(node: PrivateNode, *, timeout_s: float) -> Broker | None:
    # The process that started it may have died before it was ready.
    def attempt() -> Broker | None:
        try:
            return node.look()
        except BrokerError:
            return None

    try:
        return wait_until(attempt, timeout_s=min(timeout_s, 20.0), what="the node", every_s=0.1)
    except TimeoutError:
        return None
