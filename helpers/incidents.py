"""Cause eight incidents of a messaging system, each recognisable by its metrics alone.

`seed` starts one and ends it with the ``with`` block; several may run at once in one vhost, since
each has its own queues. `ALL` describes each incident, its metrics, and the rule of
``monitoring/alerts.yml`` that must fire.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pika
from pika.exceptions import AMQPError

from helpers import broker, tables
from helpers.consume import Consumer, OnMessage
from helpers.errors import UsageError
from helpers.rabbitmq.ready import hang_up
from helpers.waits import wait_until

if TYPE_CHECKING:
    import pandas as pd

GOODBYE_S = 2.0
BLOCKED_S = 120.0  # longer than any alarm lasts
POISON = b"poison"
LEAST_PAUSE_S = 0.02
HELD = 20  # messages that the stuck consumer holds
CLASSIC = {"x-queue-type": "classic"}


@dataclass(frozen=True)
class Incident:
    """An incident: its queue, what happens, what the metrics show, and the alert that must fire."""

    name: str
    queue: str
    happens: str
    shows: str
    alert: str


ALL: tuple[Incident, ...] = (
    Incident(
        "stuck consumer", "index", "the only consumer holds its prefetch and waits for ever",
        "ready 0, unacked at the prefetch, no acks", "RabbitMQConsumersStuck",
    ),
    Incident(
        "poison loop", "thumbnails", "one message fails and is requeued, again and again",
        "depth near 0, most deliveries are repeats", "RabbitMQRedeliveries",
    ),
    Incident(
        "slow consumer", "search", "each message takes 1 s, and 70 come in a second",
        "depth grows, 1 ack a second: a new message waits minutes", "RabbitMQBacklogTooOld",
    ),
    Incident(
        "healthy growth", "export", "a batch is published faster than it is worked on",
        "depth grows most of all, but a new message waits seconds", "",
    ),
    Incident(
        "publisher blocked", "", "a memory alarm stops everybody who publishes",
        "alarm 1, the publish rate falls to 0, no queue is deep", "RabbitMQPublishersBlocked",
    ),
    Incident(
        "unroutable flood", "", "events match no binding, and the broker drops them",
        "dropped messages are counted, no queue notices", "RabbitMQUnroutableDropped",
    ),
    Incident(
        "missing consumer", "audit", "messages come, and nobody subscribes",
        "depth grows, 0 consumers", "RabbitMQNoConsumers",
    ),
    Incident(
        "DLQ filling", "notify", "every fifth message is rejected for good",
        "the work queue is empty, its DLQ grows", "RabbitMQDeadLetters",
    ),
)  # fmt: skip
BY_NAME = {incident.name: incident for incident in ALL}
BLOCKED = "publisher blocked"  # the one that needs a node of its own
DLQ = "notify.dlq"


def table() -> "pd.DataFrame":
    """Return the incidents.

    Returns:
        DataFrame, indexed by name: ``queue``, ``happens``, ``shows``, ``alert``, all str, "" for
        none.
    """
    import pandas as pd

    return tables.of_words(pd.DataFrame([vars(incident) for incident in ALL]).set_index("name"))


def find(which: str | int) -> Incident:
    """Return an incident by its name, or one that a number hides.

    Args:
        which: one of the names in `ALL`, or any whole number. A number stands for the same
            incident each time, and never for the one that needs a node of its own.

    Raises:
        UsageError: no such incident.
    """
    if isinstance(which, int):
        return random.Random(which).choice([i for i in ALL if i.name != BLOCKED])
    if which not in BY_NAME:
        raise UsageError(f"no incident is called {which!r}; there are: {', '.join(BY_NAME)}")
    return BY_NAME[which]


@contextmanager
def seed(name: str, *, node: broker.DisposableNode | None = None) -> Iterator[Incident]:
    """Cause an incident in the scratch vhost while the ``with`` block runs.

    Args:
        name: one of the names in `ALL`.
        node: for "publisher blocked" only: a private node, since its alarm stops all publishers.

    Yields:
        The incident, once it has begun: its queues exist, publishers and consumers run. All of
        them end with the block, and an alarm is cleared; the queues stay.

    Raises:
        UsageError: no such incident, or no node for the one that needs it.
        BrokerError: the broker does not answer.
    """
    incident = find(name)
    with ExitStack() as stack:
        if name == BLOCKED:
            if node is None:
                raise UsageError("a blocked publisher needs node=, a broker.disposable() node")
            _block(stack, node)
        elif name == "unroutable flood":
            _declare_exchange()
            stack.enter_context(Publisher("events", "comment.deleted", per_s=50))
        else:
            _declare_queues(incident.queue)
            for part in _parts(name, incident.queue):
                stack.enter_context(part)
        yield incident


def _parts(name: str, queue: str) -> list[Any]:
    """Return the consumers and publishers of an incident that shows in a queue, in this order."""

    def publish(per_s: float, most: int | None = None) -> Publisher:
        return Publisher("", queue, per_s=per_s, most=most)

    def consume(
        prefetch_count: int, *, service_time_s: float = 0.0, on_message: OnMessage | None = None
    ) -> Consumer:
        return Consumer(
            queue, name=f"{queue}-1", prefetch_count=prefetch_count, auto_ack=False,
            service_time_s=service_time_s, on_message=on_message,
        )  # fmt: skip

    match name:
        case "stuck consumer":
            return [consume(HELD, on_message=_hold), publish(50, most=HELD)]
        case "poison loop":
            return [_poison(queue), consume(10, on_message=_requeue_poison), publish(10)]
        case "slow consumer":
            return [consume(1, service_time_s=1.0), publish(70)]
        case "healthy growth":
            return [consume(50, service_time_s=0.01), publish(200, most=10000)]
        case "missing consumer":
            return [publish(20)]
        case _:
            return [consume(10, on_message=_reject_every_fifth()), publish(20)]


def _hold(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    """Neither ack nor reject, like a handler that waits for an answer without a timeout."""


def _requeue_poison(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    time.sleep(0.005)
    if body == POISON:
        channel.basic_reject(method.delivery_tag, requeue=True)
    else:
        channel.basic_ack(method.delivery_tag)


def _reject_every_fifth() -> OnMessage:
    count = 0

    def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
        nonlocal count
        count += 1
        if count % 5:
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)

    return on_message


def _declare_queues(queue: str) -> None:
    with broker.connect() as connection:
        channel = connection.channel()
        arguments = dict(CLASSIC)
        if queue == BY_NAME["DLQ filling"].queue:
            arguments |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DLQ}
            channel.queue_declare(DLQ, durable=True, arguments=CLASSIC)
        channel.queue_declare(queue, durable=True, arguments=arguments)


def _declare_exchange() -> None:
    with broker.connect() as connection:
        connection.channel().exchange_declare("events", "topic", durable=True)


def _block(stack: ExitStack, node: broker.DisposableNode) -> None:
    with node.connect() as connection:
        connection.channel().queue_declare("events", durable=True, arguments=CLASSIC)
    publisher = Publisher("", "events", per_s=20, confirms=True, connect=node.connect)
    stack.enter_context(publisher)
    wait_until(lambda: publisher.published, timeout_s=10, what="the first message")
    stack.callback(node.ctl, "set_vm_memory_high_watermark", "0.4")  # before the publisher ends
    node.ctl("set_vm_memory_high_watermark", "absolute", "1MB")


@contextmanager
def _poison(queue: str) -> Iterator[None]:
    """Publish the one message that always fails."""
    with broker.connect() as connection:
        connection.channel().basic_publish("", queue, POISON)
    yield


class Publisher:
    """A thread that publishes at a steady rate on its own connection."""

    def __init__(
        self,
        exchange: str,
        routing_key: str,
        *,
        per_s: float,
        confirms: bool = False,
        most: int | None = None,
        connect: Callable[..., pika.BlockingConnection] = broker.connect,
    ) -> None:
        """Prepare a publisher; ``with`` starts and ends it.

        Args:
            exchange: where to publish.
            routing_key: of every message.
            per_s: messages a second, more than 0.
            confirms: wait for the confirm of each.
            most: stop after this many messages; None: never.
            connect: opens the connection.
        """
        self.published = 0
        self._exchange, self._routing_key, self._per_s = exchange, routing_key, per_s
        self._confirms, self._most, self._connect = confirms, most, connect
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def __enter__(self) -> Self:
        self._connection = self._connect(blocked_connection_timeout=BLOCKED_S)
        self._thread.start()
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._stop.set()
        self._thread.join(timeout=GOODBYE_S)
        if self._thread.is_alive():  # it waits for a confirm from a blocked broker
            hang_up(self._connection)
            self._thread.join(timeout=GOODBYE_S)

    def _run(self) -> None:
        properties = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Transient.value)
        with suppress(AMQPError), self._connection as connection:
            channel = connection.channel()
            if self._confirms:
                channel.confirm_delivery()
            began_s = time.perf_counter()
            while not self._stop.is_set():
                due = int((time.perf_counter() - began_s) * self._per_s) + 1
                for _ in range(min(due, self._most or due) - self.published):
                    channel.basic_publish(self._exchange, self._routing_key, b"event", properties)
                    self.published += 1
                connection.process_data_events(time_limit=max(LEAST_PAUSE_S, 1 / self._per_s))
