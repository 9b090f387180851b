"""The private node that everything in this checkout shares."""

from pathlib import Path

from helpers.errors import BrokerError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.machine.telling import say
from helpers.rabbitmq import lost_nodes
from helpers.rabbitmq.model import Broker
from helpers.rabbitmq.private_node import PrivateNode
from helpers.waits import wait_until

SOURCE = "private node"
LOCK_TIMEOUT_S = 120.0
WAIT_S = 20.0  # for a node that another process has started, and that may be on its way


def running() -> Broker | None:
    """Return the shared private node if it runs and is ready."""
    node = _noted()
    return _look(node) if node.is_running else None


def start(*, timeout_s: float) -> Broker:
    """Return the shared private node; start it, with empty data, unless it runs.

    If two processes call this at once, one of them starts the node. One that runs but has stopped
    answering is replaced. Nodes that have lost their folder are ended; see `lost_nodes`.

    Args:
        timeout_s: how long the start may take, in seconds.

    Raises:
        BrokerNotFoundError: no RabbitMQ server is installed here.
        BrokerNotReadyError: it did not become ready; the message quotes its log.
    """
    with exclusive(_lock(), timeout_s=LOCK_TIMEOUT_S):
        end_lost_nodes()
        node = _noted()
        if not node.is_running:
            say("Starting a private RabbitMQ node; that takes a few seconds …")
            return node.start_fresh(timeout_s=timeout_s)
        if broker := _look(node):
            return broker
        at = node.amqp_url.rpartition("@")[2].partition("/")[0]
        say(f"The private RabbitMQ node at {at} has stopped answering, or is still starting …")
        if broker := _wait_for(node, timeout_s=timeout_s):
            return broker
        broker = node.start_fresh(timeout_s=timeout_s)
        where = "on the same ports" if f"{broker.host}:{broker.port}" == at else "on other ports"
        say(f"The private RabbitMQ node was replaced: {where}, with empty data.")
        return broker


def stop() -> bool:
    """Stop the shared private node and its epmd, and delete its data.

    Returns:
        Whether it was running.
    """
    with exclusive(_lock(), timeout_s=LOCK_TIMEOUT_S):
        return _noted().remove()


def end_lost_nodes() -> list[str]:
    """End private nodes of this user whose folder is gone, say so, and return what they were."""
    ended = [str(node) for node in lost_nodes.end()]
    for text in ended:
        say(f"Ended: {text}.")
    return ended


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
    try:
        return wait_until(
            lambda: _look(node), timeout_s=min(timeout_s, WAIT_S), what="the node", every_s=0.1
        )
    except TimeoutError:
        return None


def _look(node: PrivateNode) -> Broker | None:
    try:
        return node.look()
    except BrokerError:
        return None
