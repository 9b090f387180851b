"""A cluster of three private nodes on this machine: one cookie, one epmd, loopback only."""

import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from helpers.errors import BrokerNotFoundError
from helpers.machine.paths import home
from helpers.machine.ports import Ports, free_port_numbers
from helpers.machine.telling import say
from helpers.rabbitmq.disposable_node import DisposableNode
from helpers.rabbitmq.model import Broker
from helpers.rabbitmq.node_files import NodeIdentity, new_password
from helpers.rabbitmq.private_node import PrivateNode, on_free_ports
from helpers.rabbitmq.server import why_no_server

SOURCE = "private cluster"
SIZE = 3
OWN_PORTS = 5  # all but epmd's, which is shared
# A node that joins has to be in its own list, too. The first node joins no other.
JOIN = """
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {first}
cluster_formation.classic_config.nodes.2 = {own}
"""
CONFIG = "cluster_partition_handling = pause_minority\n"


class _Node(PrivateNode):
    """A private node that shares the cluster's epmd, which stays when the node ends."""

    @property
    def epmd_folder(self) -> Path:
        """The folder of the first node, which started it."""
        return _folders()[0]

    def stop(self) -> bool:
        return self.kill()


class PrivateMember(DisposableNode):
    """One of the three nodes; see `helpers.rabbitmq.cluster_members.Member`."""

    what = "this node of the cluster"

    def __init__(self, node: PrivateNode) -> None:
        # The node may be down, so its version is not known.
        super().__init__(
            node, Broker(node.amqp_url, node.management_url, None, SOURCE, version="", erlang="")
        )

    @property
    def name(self) -> str:
        """Erlang's name of the node."""
        return self._node.name

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""
        return self._node.is_running


def nodes() -> list[PrivateMember]:
    """Return the nodes of an earlier process's notes; an empty list without such notes."""
    found = [_Node(folder, source=SOURCE) for folder in _folders()]
    return [PrivateMember(node) for node in found] if all(node.load() for node in found) else []


def start(*, timeout_s: float) -> list[PrivateMember]:
    """Start three nodes with empty data, on free ports, and join them.

    Args:
        timeout_s: how long it may take until all are ready, in seconds.

    Raises:
        BrokerNotFoundError: no RabbitMQ server is installed here.
        BrokerNotReadyError: one did not become ready; the message quotes its log.
    """
    if reason := why_no_server():
        raise BrokerNotFoundError(f"cannot start a cluster of private nodes: {reason}")
    say("Starting three RabbitMQ nodes and joining them; that takes about a quarter of a minute …")
    return on_free_ports(partial(_start_all, timeout_s), _folders())


def stop() -> bool:
    """End the three nodes and their epmd, and delete their data.

    Returns:
        Whether one of them was running.
    """
    were_running = []
    for folder in _folders():
        node = PrivateNode(folder, source=SOURCE)  # ends its epmd, too
        node.load()
        were_running.append(node.remove())
    shutil.rmtree(home() / "cluster", ignore_errors=True)
    return any(were_running)


def _start_all(timeout_s: float) -> list[PrivateMember]:
    stop()
    *ports, epmd_port = free_port_numbers(SIZE * OWN_PORTS + 1)
    mark, cookie, password = secrets.token_hex(4), secrets.token_hex(16), new_password()
    names = [f"rabbit-lab-{mark}-{number}@localhost" for number in range(1, SIZE + 1)]
    own = [[*ports[OWN_PORTS * n :][:OWN_PORTS], epmd_port] for n in range(SIZE)]
    made: list[_Node] = []
    for folder, name, numbers in zip(_folders(), names, own, strict=True):
        join = JOIN.format(first=names[0], own=name) if made else ""
        node = _Node(folder, source=SOURCE, config=CONFIG + join)
        epmd = made[0].epmd if made else None
        node.lay_out(NodeIdentity(name, Ports(*numbers), cookie, password, epmd))
        if not made:
            node.start_epmd()
        made.append(node)

    def begin(node: _Node) -> Broker:
        return node.start_again(timeout_s=timeout_s)

    try:
        # The other nodes look for the first one once, so it starts first; they may start together.
        begin(made[0])
        with ThreadPoolExecutor(SIZE) as pool:
            list(pool.map(begin, made[1:]))
    except BaseException:
        stop()
        raise
    return [PrivateMember(node) for node in made]


def _folders() -> Sequence[Path]:
    return [home() / "cluster" / str(number) for number in range(1, SIZE + 1)]
