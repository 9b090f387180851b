"""Three RabbitMQ nodes in one cluster, for experiments that kill one of them or cut it off.

They are started by ``python -m helpers up --cluster``, never by an experiment: as containers of
the profile ``cluster`` in ``docker-compose.yml``, or as private nodes of this machine.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol
from urllib.parse import quote

import pika

from helpers.broker import cluster_compose, cluster_private, compose, management
from helpers.broker.connections import DEFAULTS
from helpers.broker.locks import exclusive
from helpers.broker.model import Broker, credentials
from helpers.broker.paths import home
from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, WaitTimeoutError
from helpers.waits import wait_until

HOW = "`python -m helpers up --cluster` or the Compose profile `cluster`"
START_TIMEOUT_S = 120.0
USE_TIMEOUT_S = 55.0
WHOLE_TIMEOUT_S = 60.0
VHOST = "lab-cluster-"
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


class Member(Protocol):
    """A node of the cluster, whatever it runs in."""

    @property
    def name(self) -> str:
        """Erlang's name of the node, like "rabbit@rabbitmq-1"."""

    @property
    def broker(self) -> Broker:
        """The node as a broker: URLs and versions."""

    @property
    def is_running(self) -> bool:
        """Whether its process runs."""

    def kill(self) -> None:
        """End it with SIGKILL; its data stay. Raises BrokerError when it is down already."""

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start it again with the same data. Raises BrokerError when it runs or can't."""

    def ctl(self, *arguments: str, timeout_s: float = 30.0) -> str:
        """Run ``rabbitmqctl`` on it and return what it printed. Raises BrokerError."""


class Cluster:
    """The three nodes, and a vhost on them that is empty at first; see `alone`."""

    def __init__(self, nodes: tuple[Member, ...], vhost: str) -> None:
        self.nodes = nodes
        self.vhost = vhost

    def __repr__(self) -> str:
        """Return one line."""
        running = sum(node.is_running for node in self.nodes)
        return f"Cluster({self.nodes[0].broker.source}, {running} of {len(self.nodes)} running)"

    def others(self, node: Member) -> list[Member]:
        """Return the nodes beside ``node``."""
        return [other for other in self.nodes if other is not node]

    def parameters(self, *nodes: Member) -> list[pika.ConnectionParameters]:
        """Return what ``pika.BlockingConnection`` takes to try one node after the other.

        Args:
            nodes: in the order in which they are tried; none means all.
        """
        return [
            pika.ConnectionParameters(
                **DEFAULTS,
                host=node.broker.host,
                port=node.broker.port,
                virtual_host=self.vhost,
                credentials=pika.PlainCredentials(*credentials(node.broker.amqp_url)),
            )
            for node in nodes or self.nodes
        ]

    def queue(self, name: str) -> dict[str, Any]:
        """Return what the management API tells about a queue, straight from the broker's tables.

        Args:
            name: the queue, in the cluster's vhost.

        Raises:
            BrokerError: no node answers, or the queue does not exist.
        """
        # The list form: that of a single queue tells less, differently in each generation.
        path = f"queues/{self.vhost}?disable_stats=true&enable_queue_totals=true"
        for queue in _ask(self.nodes, path):
            if queue["name"] == name:
                return dict(queue)
        raise BrokerError(f"there is no queue {name!r} in the cluster's vhost")

    def leader(self, queue: str) -> Member:
        """Return the node that leads a quorum queue, or on which a classic queue lives.

        Raises:
            BrokerError: no node answers, or the queue does not exist.
        """
        told = self.queue(queue)
        name = told.get("leader") or told["node"]
        return next(node for node in self.nodes if node.name == name)

    def wait_until_whole(self, *, timeout_s: float = WHOLE_TIMEOUT_S) -> None:
        """Wait until every node sees every other one running, and no partition.

        Args:
            timeout_s: deadline in seconds.

        Raises:
            WaitTimeoutError: the deadline passed.
        """
        wait_until(
            lambda: all(_sees_all(node, len(self.nodes)) for node in self.nodes),
            timeout_s=timeout_s,
            what="three nodes that all see each other",
            every_s=0.1,
        )

    def restore(self) -> None:
        """Start the nodes that are down, reconnect those that are cut off, and wait for that.

        Raises:
            BrokerError: a node does not start.
            WaitTimeoutError: they do not find each other again.
        """
        for node in self.nodes:
            if not node.is_running:
                node.start()
        if not all(_sees_all(node, len(self.nodes)) for node in self.nodes):
            for node in self.nodes:
                connect_again(node, self.others(node))
        self.wait_until_whole()


def running() -> tuple[Member, ...]:
    """Return the nodes of the cluster that was started here; none when there is none.

    It counts as long as one of its nodes runs: an experiment may have killed another.
    """
    for nodes in (cluster_private.nodes(), cluster_compose.nodes()):
        if any(node.is_running for node in nodes):
            return tuple(nodes)
    return ()


def start(*, timeout_s: float = START_TIMEOUT_S) -> tuple[Member, ...]:
    """Return the cluster's nodes; start them unless they run.

    Private nodes start with empty data; containers with what their volumes hold.

    Args:
        timeout_s: how long it may take until all are ready, in seconds.

    Raises:
        BrokerNotFoundError: neither Docker Compose nor a RabbitMQ server is to be had here.
        BrokerNotReadyError: a node did not become ready, or did not join.
    """
    with exclusive(home() / "cluster.lock", timeout_s=timeout_s):
        if nodes := running():
            Cluster(nodes, "/").restore()
            return nodes
        reason = compose.why_not()
        if reason is None:
            try:
                return tuple(cluster_compose.start(timeout_s=timeout_s))
            except compose.ComposeUnusableError as error:
                reason = str(error)
        try:
            nodes = tuple(cluster_private.start(timeout_s=timeout_s))
        except BrokerNotFoundError as error:
            raise BrokerNotFoundError(f"{error}; {compose.SOURCE}: {reason}") from None
        try:
            Cluster(nodes, "/").wait_until_whole()
        except WaitTimeoutError as error:
            cluster_private.stop()
            raise BrokerNotReadyError(f"the three nodes did not join: {error}") from None
        return nodes


def stop() -> str | None:
    """End the cluster that we started; containers that somebody else started are left alone.

    Returns:
        What was stopped, or None.
    """
    with exclusive(home() / "cluster.lock", timeout_s=START_TIMEOUT_S):
        if cluster_private.stop():
            return cluster_private.SOURCE
        return cluster_compose.SOURCE if cluster_compose.stop() else None


@contextmanager
def alone() -> Iterator[Cluster]:
    """Have the cluster for yourself for the time of a ``with`` block.

    Yields:
        The cluster: whole, with an empty vhost. At the end nodes that were killed are started,
        those that were cut off connected, and the vhost is deleted. What a killed process left
        broken is restored by the next call.

    Raises:
        BrokerNotFoundError: there is no cluster; the message says how to get one.
        BrokerNotReadyError: another experiment used it all the time.
        BrokerError: a node does not start again.
    """
    with exclusive(home() / "cluster-use.lock", timeout_s=USE_TIMEOUT_S):
        nodes = running()
        if not nodes:
            raise BrokerNotFoundError(f"no cluster is running: start one with {HOW}")
        three = Cluster(nodes, f"{VHOST}{secrets.token_hex(4)}")
        three.restore()
        _sweep(nodes)
        _call(nodes[0], "PUT", f"vhosts/{three.vhost}", {})
        user = quote(nodes[0].broker.user, safe="")
        _call(nodes[0], "PUT", f"permissions/{three.vhost}/{user}", ALL)
        try:
            yield three
        finally:
            three.restore()
            _sweep(nodes)


def cut_off(node: Member, others: list[Member]) -> None:
    """Cut Erlang's links between a node and the others, and let none be made again.

    Clients' connections stay. The nodes notice at once: the sockets are closed, not silent.

    Args:
        node: the one; it gets a wrong cookie for each of the others.
        others: the rest of the cluster.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails.

    Source: Erlang documentation, "Distributed Erlang", erlang:set_cookie/2.
    """
    _for_each(node, others, "erlang:set_cookie(N, cut_off), erlang:disconnect_node(N)")


def connect_again(node: Member, others: list[Member]) -> None:
    """Undo `cut_off`; the nodes find each other again by themselves.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails.
    """
    _for_each(node, others, "erlang:set_cookie(N, erlang:get_cookie()), net_kernel:connect_node(N)")


def _for_each(node: Member, others: list[Member], steps: str) -> None:
    names = ", ".join(f"'{other.name}'" for other in others)
    node.ctl("eval", f"[begin {steps} end || N <- [{names}]].")


def _sees_all(node: Member, wanted: int) -> bool:
    try:
        seen = _call(node, "GET", "nodes")
    except BrokerError:
        return False
    whole = [one for one in seen if one.get("running") and not one.get("partitions")]
    return len(whole) == wanted


def _sweep(nodes: tuple[Member, ...]) -> None:
    for vhost in _call(nodes[0], "GET", "vhosts"):
        if vhost["name"].startswith(VHOST):
            with suppress(management.ManagementApiError):
                _call(nodes[0], "DELETE", f"vhosts/{vhost['name']}")


def _ask(nodes: tuple[Member, ...], path: str) -> Any:
    last: BrokerError = BrokerError("no node of the cluster runs")
    for node in nodes:
        try:
            return _call(node, "GET", path)
        except BrokerError as error:
            last = error
    raise last


def _call(node: Member, method: str, path: str, body: Any = None) -> Any:
    login = credentials(node.broker.amqp_url)
    return management.call(node.broker.management_url, login, method, path, body)
