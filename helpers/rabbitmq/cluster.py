"""Three RabbitMQ nodes in one cluster, for experiments that kill one of them or cut it off.

They are started by ``python -m helpers up --cluster``, never by an experiment: as containers of
the profile ``cluster`` in ``docker-compose.yml``, or as private nodes of this machine.
"""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import pika

from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, WaitTimeoutError
from helpers.machine import docker
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.rabbitmq import cluster_compose, cluster_private, management
from helpers.rabbitmq.cluster_members import START_TIMEOUT_S, Member, are_whole, call, connect_again
from helpers.rabbitmq.model import credentials
from helpers.rabbitmq.ready import DEFAULTS
from helpers.waits import wait_until

HOW = "`python -m helpers up --cluster` or the Compose profile `cluster`"
USE_TIMEOUT_S = 55.0
WHOLE_TIMEOUT_S = 60.0
HEAL_TIMEOUT_S = 20.0
LOOK_PATIENCE_S = 5.0
VHOST = "lab-cluster-"
ALL = {"configure": ".*", "write": ".*", "read": ".*"}


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
        """Return connection parameters for pika that try one node after the other.

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
        """Return a queue from the management API, straight from the broker's tables.

        Args:
            name: the queue, in the cluster's vhost.

        Raises:
            BrokerError: no node answers, or the queue does not exist.
        """
        # The list has all fields; a single queue has fewer, and others in each generation.
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
        listed = self.queue(queue)
        name = listed.get("leader") or listed["node"]
        return next(node for node in self.nodes if node.name == name)

    def wait_until_whole(self, *, timeout_s: float = WHOLE_TIMEOUT_S) -> None:
        """Wait until every node has booted, sees all others, and reports no partition.

        Args:
            timeout_s: deadline in seconds.

        Raises:
            WaitTimeoutError: the deadline passed.
        """
        wait_until(
            lambda: are_whole(self.nodes, patience_s=LOOK_PATIENCE_S),
            timeout_s=timeout_s,
            what="three nodes that all see each other",
            every_s=0.1,
        )

    def restore(self) -> None:
        """Start the nodes that are down, reconnect isolated nodes, and wait until all are whole.

        With Mnesia, a partition of a few milliseconds can be permanent, and partition handling
        does not notice it: then every node is restarted.

        Raises:
            BrokerError: a node does not start, or `rabbitmqctl` fails.
            WaitTimeoutError: the nodes do not connect again.

        Source: rabbitmq-server#17319; measured on RabbitMQ 3.10.
        """
        for node in self.nodes:
            if not node.is_running:
                node.start()
        if are_whole(self.nodes, patience_s=LOOK_PATIENCE_S):
            return
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: connect_again(node, self.others(node)), self.nodes))
        try:
            self.wait_until_whole(timeout_s=HEAL_TIMEOUT_S)
        except WaitTimeoutError:
            for node in (*self.nodes[1:], self.nodes[0]):
                node.kill()
                node.start()
            self.wait_until_whole()


def running() -> tuple[Member, ...]:
    """Return the nodes of the cluster of this checkout; an empty tuple without a cluster.

    A cluster exists as long as one of its nodes runs: an experiment may have killed others.
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
        BrokerNotFoundError: neither Docker Compose nor a RabbitMQ server is available here.
        BrokerNotReadyError: a node did not become ready, or did not join.
    """
    with exclusive(home() / "cluster.lock", timeout_s=timeout_s):
        if nodes := running():
            Cluster(nodes, "/").restore()
            return nodes
        reason = docker.why_not()
        if reason is None:
            try:
                return tuple(cluster_compose.start(timeout_s=timeout_s))
            except docker.ComposeUnusableError as error:
                reason = str(error)
        try:
            nodes = tuple(cluster_private.start(timeout_s=timeout_s))
        except BrokerNotFoundError as error:
            raise BrokerNotFoundError(f"{error}; {docker.SOURCE}: {reason}") from None
        try:
            # Nodes that join may lose their connection for a moment.
            Cluster(nodes, "/").restore()
        except (BrokerError, WaitTimeoutError) as error:
            cluster_private.stop()
            raise BrokerNotReadyError(f"the three nodes did not join: {error}") from None
        return nodes


def stop() -> str | None:
    """Stop the cluster that this checkout started; other containers are left alone.

    Returns:
        The source of the cluster that was stopped, or None.
    """
    with exclusive(home() / "cluster.lock", timeout_s=START_TIMEOUT_S):
        if cluster_private.stop():
            return cluster_private.SOURCE
        return cluster_compose.SOURCE if cluster_compose.stop() else None


@contextmanager
def alone() -> Iterator[Cluster]:
    """Use the cluster exclusively for the time of a ``with`` block.

    Yields:
        The cluster: whole, with an empty vhost. At the end, killed nodes are started, isolated
        nodes reconnected, and the vhost is deleted. If this process is killed, the next call does
        that.

    Raises:
        BrokerNotFoundError: there is no cluster; the message says how to get one.
        BrokerNotReadyError: another experiment uses it all the time.
        BrokerError: a node does not start again.
    """
    with exclusive(home() / "cluster-use.lock", timeout_s=USE_TIMEOUT_S):
        nodes = running()
        if not nodes:
            raise BrokerNotFoundError(f"no cluster is running: start one with {HOW}")
        three = Cluster(nodes, f"{VHOST}{secrets.token_hex(4)}")
        three.restore()
        _sweep(nodes)
        call(nodes[0], "PUT", f"vhosts/{three.vhost}", {})
        user = quote(nodes[0].broker.user, safe="")
        call(nodes[0], "PUT", f"permissions/{three.vhost}/{user}", ALL)
        try:
            yield three
        finally:
            three.restore()
            _sweep(nodes)


def _sweep(nodes: tuple[Member, ...]) -> None:
    for vhost in call(nodes[0], "GET", "vhosts"):
        if vhost["name"].startswith(VHOST):
            with suppress(management.ManagementApiError):
                call(nodes[0], "DELETE", f"vhosts/{vhost['name']}")


def _ask(nodes: tuple[Member, ...], path: str) -> Any:
    last: BrokerError = BrokerError("no node of the cluster runs")
    for node in nodes:
        try:
            return call(node, "GET", path)
        except BrokerError as error:
            last = error
    raise last
