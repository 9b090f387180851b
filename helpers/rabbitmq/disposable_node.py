"""A second private node with its own data, for experiments that kill the broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pika

from helpers.errors import BrokerError, UsageError
from helpers.machine import keeper
from helpers.machine.run import run
from helpers.rabbitmq import disk_calls, management, ready, server
from helpers.rabbitmq.model import Broker, credentials
from helpers.rabbitmq.private_node import PrivateNode
from helpers.rabbitmq.ready import DEFAULTS

SOURCE = "disposable node"
PREFIX = "disposable"
START_TIMEOUT_S = 90.0


class DisposableNode:
    """A node that an experiment may kill and start again."""

    what = "the disposable node"

    def __init__(self, node: PrivateNode, broker: Broker) -> None:
        self._node = node
        self._broker = broker

    def __repr__(self) -> str:
        """Return one line."""
        state = "running" if self._node.is_running else "down"
        return f"DisposableNode({self._broker.host}:{self._broker.port}, {state})"

    @property
    def broker(self) -> Broker:
        """The node as a broker: URLs and versions."""
        return self._broker

    @property
    def pid(self) -> int | None:
        """Process id of the node's virtual machine; None while it is down."""
        return self._node.pid

    def connect(self, **overrides: Any) -> pika.BlockingConnection:
        """Open a connection to the node.

        Args:
            overrides: any keyword of ``pika.ConnectionParameters``.

        Raises:
            BrokerError: one sentence about why there is no connection.
            UsageError: pika does not know a keyword or refuses its value.
        """
        chosen = DEFAULTS | {
            "host": self._broker.host,
            "port": self._broker.port,
            "credentials": pika.PlainCredentials(*credentials(self._broker.amqp_url)),
        }
        try:
            parameters = pika.ConnectionParameters(**(chosen | overrides))
        except (TypeError, ValueError) as error:
            raise UsageError(f"pika refuses a connection parameter: {error}") from None
        return ready.open_connection(parameters, self._broker)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the node's management API as its administrator.

        Args:
            method: HTTP method.
            path: the part after ``/api/``, already quoted.
            body: sent as JSON; None sends no body.

        Returns:
            The parsed JSON, or None for an empty answer.

        Raises:
            BrokerNotReadyError: nothing answers there in time.
            ManagementApiError: it answered with an HTTP error.
        """
        login = credentials(self._broker.amqp_url)
        return management.call(self._broker.management_url, login, method, path, body)

    def kill(self) -> None:
        """End the node's virtual machine with SIGKILL, as a crash would; the data stay.

        On RabbitMQ 3.10 and 4.0, queues declared in the last 2 s may be lost: Mnesia can hold its
        last decision in memory that long.

        Raises:
            BrokerError: it is down already.

        Source: measured; Erlang/OTP's disk_log_1, time-out of its write cache.
        """
        if not self._node.kill():
            raise BrokerError(f"{self.what} is down already")

    def ctl(self, *arguments: str, timeout_s: float = server.CTL_TIMEOUT_S) -> str:
        """Run ``rabbitmqctl`` for this node, such as ``ctl("list_queues")``.

        Args:
            arguments: the command and its arguments.
            timeout_s: how long it may take, in seconds.

        Returns:
            Its output.

        Raises:
            BrokerError: it cannot be run, fails, or takes too long.

        Source: RabbitMQ documentation, "rabbitmqctl".
        """
        name = f"`rabbitmqctl {' '.join(arguments)}`"
        script = server.server_script()
        done = run(
            [str(script and script.with_name("rabbitmqctl")), "--quiet", *arguments],
            timeout_s=timeout_s,
            error=BrokerError,
            name=name,
            environment=self._node.environment("ctl"),
            folder=self._node.folder,
        )
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise BrokerError(f"{name} failed: {lines[0] if lines else done.returncode}")
        return done.stdout

    def watch_disk(self) -> None:
        """Note every write, fsync and confirm from now on, until the node ends.

        Raises:
            BrokerError: it is down, or watched already.
        """
        disk_calls.watch(self.ctl)

    def calls_before_confirms(self) -> list[list[str]]:
        """Return the calls that ended before each confirm since `watch_disk`; see `disk_calls`."""
        return disk_calls.before_confirms(self.ctl)

    def start(self, *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start the node again with the same data, name and ports.

        Args:
            timeout_s: how long it may take until it is ready, in seconds.

        Raises:
            BrokerError: it is running already, or not ready in time.
        """
        if self._node.is_running:
            raise BrokerError(f"{self.what} is running already")
        self._broker = self._node.start_again(timeout_s=timeout_s)


@contextmanager
def disposable(
    *, config: str = "", advanced: str = "", timeout_s: float = START_TIMEOUT_S
) -> Iterator[DisposableNode]:
    """Start a private node for the time of a ``with`` block; the shared node is left alone.

    Args:
        config: lines to add to its ``rabbitmq.conf``.
        advanced: the text of its ``advanced.config``, an Erlang term such as ``[{rabbit, []}].``
        timeout_s: how long it may take until it is ready, in seconds.

    Yields:
        The node; it and its data are removed at the end of the block, or by the next call if this
        process is killed.

    Raises:
        BrokerNotFoundError: no RabbitMQ server is installed on this machine.
        BrokerNotReadyError: it did not become ready; the message quotes its log.

    Source: RabbitMQ documentation, "Configuration".
    """
    make = partial(PrivateNode, source=SOURCE, config=config, advanced=advanced)
    with keeper.temporary(PREFIX, make) as node:
        yield DisposableNode(node, node.start_fresh(timeout_s=timeout_s))


def sweep() -> list[Path]:
    """Remove the disposable nodes of processes that have died.

    Returns:
        Their folders.
    """
    return keeper.sweep(PREFIX, partial(PrivateNode, source=SOURCE))
