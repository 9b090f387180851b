"""Break the network or a node of a cluster for a while, and always restore it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from helpers import broker
from helpers.errors import RabbitLabError, UsageError
from helpers.rabbitmq import cluster_members
from helpers.rabbitmq.cluster import Cluster
from helpers.rabbitmq.cluster_members import Member

LONGEST_ROUND_TRIP_MS = 2000.0
GOODBYE_S = 5.0


class Proxy:
    """A way to the broker that is slow or breaks; pass it as ``via=`` to ``broker.connect``."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, round_trip_ms: float) -> None:
        self._process = process
        self.host = "127.0.0.1"
        self.port = port
        self.round_trip_ms = round_trip_ms

    def __repr__(self) -> str:
        return f"Proxy(round_trip_ms={self.round_trip_ms:g})"

    def cut(self) -> None:
        """Cut every connection that goes through here; new ones are let through."""
        self._send("cut")

    def swallow(self) -> None:
        """Drop everything that clients send from now on, while their sockets look healthy."""
        self._send("swallow")

    def swallow_answers(self) -> None:
        """Drop everything that the broker sends from now on, such as the confirm of a publish."""
        self._send("mute")

    def refuse(self) -> None:
        """Cut every connection and let no new one through, as when the broker is down."""
        self._send("refuse")

    def restore(self) -> None:
        """Forward everything again; dropped bytes stay lost, so open a new connection."""
        self._send("pass")

    def round_trips(self) -> int:
        """Count how often a client has sent something through here and got an answer."""
        return int(self._send("count"))

    def _send(self, command: str) -> str:
        assert self._process.stdin and self._process.stdout
        answer = ""
        with suppress(OSError):
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            raise RabbitLabError(f"the proxy has ended, so it cannot {command}: make a new one")
        return answer


@contextmanager
def proxy(*, round_trip_ms: float) -> Iterator[Proxy]:
    """Put a TCP proxy on loopback between clients and the broker.

    Args:
        round_trip_ms: added network delay there and back, 0 to 2000 ms; half of it each way.

    Returns:
        A context manager; the proxy and its connections end with it.

    Raises:
        UsageError: delay out of range.
    """
    if not 0 <= round_trip_ms <= LONGEST_ROUND_TRIP_MS:
        raise UsageError(
            f"round_trip_ms must be 0 to {LONGEST_ROUND_TRIP_MS:g}, not {round_trip_ms!r}"
        )
    target = broker.parameters()
    one_way_ms = str(round_trip_ms / 2)
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.machine.proxy", target.host, str(target.port), one_way_ms],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt of the kernel must not end it before its clients
    )
    try:
        assert process.stdin and process.stdout
        port = process.stdout.readline()
        if not port:
            raise RabbitLabError("the proxy could not start; its last output is above")
        yield Proxy(process, int(port), round_trip_ms)
    finally:
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]


@contextmanager
def killed(node: Member) -> Iterator[None]:
    """Kill a node of a cluster with SIGKILL for the time of a ``with`` block, then start it again.

    Args:
        node: the node; its data stay.

    Raises:
        BrokerError: the node is down already, or does not start again.
    """
    node.kill()
    try:
        yield
    finally:
        if not node.is_running:
            node.start()


@contextmanager
def cut_off(node: Member, three: Cluster) -> Iterator[None]:
    """Cut the links between one node and the rest of its cluster for the time of a ``with`` block.

    Erlang's links are cut, at once and both ways: see `helpers.rabbitmq.cluster_members.cut_off`.
    Clients reach every node as before.

    Args:
        node: the node to isolate.
        three: its cluster.

    Raises:
        BrokerError: ``rabbitmqctl eval`` fails.
    """
    others = three.others(node)
    try:
        cluster_members.cut_off(node, others)
        yield
    finally:
        cluster_members.connect_again(node, others)
