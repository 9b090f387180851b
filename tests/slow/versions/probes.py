"""Small behaviours that differ between generations of RabbitMQ and are not in a notebook's claims.

Each function observes the current broker and returns its observation in a few words;
``docs/rabbitmq-4.toml`` explains them. They observe counts, orders and refusals, but no times.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker, ConnectionClosedByBroker

from helpers import broker
from helpers.broker import ManagementApiError
from helpers.waits import wait_until

TIMEOUT_S = 20.0
# A consumer may hold a message for one second; both kinds of queue look each second. What has not
# come after ten seconds does not come.
HOLD_S = 10.0
HOLD_CONFIG = "consumer_timeout = 1000"
HOLD_ADVANCED = "[{rabbit, [{channel_tick_interval, 1000}, {quorum_tick_interval, 1000}]}]."
MIB = 1024 * 1024
QUORUM = {"x-queue-type": "quorum"}


def returned_to() -> str:
    """A quorum queue without delivery limit; the first of four is rejected with requeue."""
    channel = _quorum("place")
    _publish(channel, "place", range(4))
    first = _get(channel, "place")
    channel.basic_reject(first[0].delivery_tag, requeue=True)
    order = [_get(channel, "place")[2] for _ in range(4)]
    return {"0123": "its old place", "1230": "the back of the queue"}.get("".join(order), "?")


def unlimited() -> str:
    """A delivery limit of -1; the first of four is nacked with requeue."""
    channel = _quorum("unlimited", {"x-delivery-limit": -1})
    _publish(channel, "unlimited", range(4))
    first = _get(channel, "unlimited")
    channel.basic_nack(first[0].delivery_tag, requeue=True)
    order = "".join(_get(channel, "unlimited")[2] for _ in range(3))
    order += (channel.basic_get("unlimited")[2] or b"").decode()
    words = {"123": "message gone", "1230": "back of the queue", "0123": "its old place"}
    return words.get(order, "?")


def priorities() -> str:
    """Priorities 0, 4, 5, 9 in turn, into a quorum queue without arguments."""
    channel, published = _quorum("priorities"), [0, 4, 5, 9] * 3
    _publish(channel, "priorities", published, priority=True)
    order = [int(_get(channel, "priorities")[2]) for _ in published]
    if order == published:
        return "ignored"
    if order == sorted(published, reverse=True):
        return "strict"
    urgent = [number for number in order if number > 4]
    other = [number for number in order if number <= 4]
    mixed = order != urgent + other
    return "two levels, in turn" if mixed and urgent == [5, 9] * 3 and other == [0, 4] * 3 else "?"


def shared_limit() -> str:
    """``basic_qos(3, global_qos=True)``, two consumers, ten messages in a classic queue."""
    channel = broker.clean_channel()
    channel.queue_declare("shared", durable=True)
    _publish(channel, "shared", range(10))
    channel.basic_qos(prefetch_count=3, global_qos=True)
    for _ in range(2):
        channel.basic_consume("shared", lambda *_: None, auto_ack=False)
    # The queue delivers as soon as a consumer subscribes; the passive declaration counts the rest.
    held = 10 - channel.queue_declare("shared", passive=True).method.message_count
    return {3: "3 for both together", 6: "3 for each"}.get(held, f"? {held}")


def message_size() -> str:
    """One message of 17 MiB, published with a confirm."""
    channel = broker.clean_channel()
    channel.queue_declare("size", durable=True)
    channel.confirm_delivery()
    try:
        channel.basic_publish("", "size", bytes(17 * MIB))
    except ChannelClosedByBroker as error:
        return f"refused, {error.reply_code}"
    return "accepted"


def unknown_exchange() -> str:
    """An exchange of a type that does not exist."""
    return _refusal(lambda channel: channel.exchange_declare("x", exchange_type="no-such-type"))


def version_1() -> str:
    """A classic queue with ``x-queue-version=1``."""
    arguments = {"x-queue-version": 1}
    return _refusal(lambda channel: channel.queue_declare("v1", durable=True, arguments=arguments))


def local_random() -> str:
    """An exchange of the type ``x-local-random``."""
    outcome = _refusal(lambda channel: channel.exchange_declare("lr", "x-local-random"))
    return "accepted" if outcome == "accepted" else "no such type"


def consumer_timeout() -> str:
    """A consumer that holds a message for longer than ``consumer_timeout``."""
    with broker.disposable(config=HOLD_CONFIG, advanced=HOLD_ADVANCED) as node:
        return ", ".join(f"{kind}: {_held(node, kind)}" for kind in ("classic", "quorum"))


def mirrored() -> str:
    """A policy with ``ha-mode``, which mirrors classic queues."""
    policy = {"pattern": "^mirrored", "definition": {"ha-mode": "all"}}
    broker.clean_channel()
    try:
        broker.api("PUT", "policies/{vhost}/mirrored", policy)
    except ManagementApiError as error:
        return f"refused, {error.status}"
    return "accepted"


def first_count() -> str:
    """The header ``x-delivery-count`` of a first delivery from a quorum queue."""
    channel = _quorum("count")
    _publish(channel, "count", range(1))
    headers = _get(channel, "count")[1].headers or {}
    return str(headers.get("x-delivery-count", "absent"))


def dead_letter_flag() -> str:
    """``redelivered`` of the first delivery from a DLQ, after a reject."""
    delivery, _ = _dead_letter()
    return "set" if delivery.redelivered else "not set"


def last_death() -> str:
    """The headers ``x-last-death-…`` of a dead letter."""
    _, properties = _dead_letter()
    names = {name for name in properties.headers if name.startswith("x-last-death-")}
    return ", ".join(sorted(name.removeprefix("x-last-death-") for name in names)) or "absent"


def amqp_1() -> str:
    """A client that begins with the protocol header of AMQP 1.0 with SASL."""
    shared = broker.find()
    with socket.create_connection((shared.host, shared.port), timeout=TIMEOUT_S) as client:
        client.sendall(b"AMQP\x03\x01\x00\x00")
        answer = client.recv(8)
    words = {b"AMQP\x03\x01\x00\x00": "spoken", b"AMQP\x00\x00\x09\x01": "refused: speak 0-9-1"}
    return words.get(answer, f"? {answer!r}")


def metadata_store() -> str:
    """Where a new node keeps queues, bindings and users, from its feature flags."""
    flags = {flag["name"]: flag["state"] for flag in broker.api("GET", "feature-flags")}
    return "Khepri" if flags.get("khepri_db") == "enabled" else "Mnesia"


PROBES: dict[str, Callable[[], str]] = {
    probe.__name__.replace("_", "-"): probe
    for probe in (
        *(mirrored, amqp_1, message_size, priorities, returned_to, unlimited, shared_limit),
        *(dead_letter_flag, last_death, first_count, unknown_exchange, version_1, local_random),
        *(metadata_store, consumer_timeout),
    )
}


def _quorum(name: str, arguments: dict[str, Any] | None = None) -> Any:
    channel = broker.clean_channel()
    channel.queue_declare(name, durable=True, arguments=QUORUM | (arguments or {}))
    return channel


def _publish(channel: Any, queue: str, bodies: Any, *, priority: bool = False) -> None:
    channel.confirm_delivery()
    for body in bodies:
        chosen = {"priority": body} if priority else {}
        properties = pika.BasicProperties(delivery_mode=2, **chosen)
        channel.basic_publish("", queue, str(body).encode(), properties)


def _get(channel: Any, queue: str) -> tuple[Any, Any, str]:
    """Wait for the next message of a queue; return its method, properties and text."""

    def attempt() -> Any:
        got = channel.basic_get(queue)
        return got if got[0] is not None else None

    method, properties, body = wait_until(attempt, timeout_s=TIMEOUT_S, what=f"{queue}'s next")
    return method, properties, body.decode()


def _dead_letter() -> tuple[Any, Any]:
    channel = broker.clean_channel()
    channel.queue_declare("dlq", durable=True)
    way = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dlq"}
    channel.queue_declare("work", durable=True, arguments=way)
    _publish(channel, "work", range(1))
    channel.basic_reject(_get(channel, "work")[0].delivery_tag, requeue=False)
    delivery, properties, _ = _get(channel, "dlq")
    return delivery, properties


def _held(node: Any, kind: str) -> str:
    cancelled: list[Any] = []
    with node.connect() as connection:
        channel = connection.channel()
        channel.queue_declare(kind, durable=True, arguments={"x-queue-type": kind})
        channel.add_on_cancel_callback(cancelled.append)
        _publish(channel, kind, range(1))
        channel.basic_consume(kind, lambda *_: None)
        end = time.monotonic() + HOLD_S
        while channel.is_open and not cancelled and time.monotonic() < end:
            connection.process_data_events(time_limit=0.1)
        if channel.is_closed:
            return "channel closed"
        return "consumer cancelled" if cancelled else "nothing"


def _refusal(act: Callable[[Any], object]) -> str:
    try:
        act(broker.clean_channel())
    except ChannelClosedByBroker as error:
        return f"channel closed, {error.reply_code}"
    except ConnectionClosedByBroker as error:
        return f"connection closed, {error.reply_code}"
    except AMQPError as error:
        return f"? {error!r}"
    return "accepted"
