"""Publishing a batch of messages and writing down what became of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pika
from pika.exceptions import NackError, UnroutableError

from helpers.errors import UsageError
from helpers.history import History
from helpers.metrics import ready
from helpers.waits import wait_until

if TYPE_CHECKING:
    import pandas as pd
    from pika.adapters.blocking_connection import BlockingChannel

OUTCOMES = ("publish", "confirm", "return", "nacked")


def publish_batch(
    channel: "BlockingChannel",
    messages: int | Sequence[str | bytes],
    *,
    exchange: str,
    routing_key: str,
    persistent: bool,
    mandatory: bool,
    confirms: bool,
    history: History | None = None,
    headers: Mapping[str, object] | None = None,
    first_id: int = 0,
) -> int:
    """Publish messages one by one, with the message ids "0", "1", "2", …

    With ``confirms`` every publish waits for the broker's answer, so a count read afterwards is
    right at once; without, it may be read before the last messages have arrived.

    Args:
        channel: an open channel; with ``confirms`` it is put in confirm mode.
        messages: how many messages (their bodies are their ids), or the bodies.
        exchange: exchange to publish to; "" is the default exchange.
        routing_key: routing key of every message.
        persistent: delivery mode 2 (kept by a durable classic queue over a restart) or 1.
        mandatory: ask the broker to return what it can't route.
        confirms: wait for the broker's confirm of each message.
        history: where to write ``publish``, ``confirm``, ``nacked`` and ``return`` events.
        headers: headers of every message.
        first_id: id of the first message.

    Returns:
        How many messages were accepted: confirmed, or written to the socket without confirms.

    Raises:
        UsageError: ``mandatory`` without ``confirms``: returns would arrive unseen.

    Source: https://www.rabbitmq.com/docs/confirms and /docs/publishers#unroutable
    """
    if mandatory and not confirms:
        raise UsageError("mandatory needs confirms=True here: without, nobody reads the returns")
    bodies = [str(first_id + i) for i in range(messages)] if isinstance(messages, int) else messages
    if confirms:
        _ensure_confirms(channel)
    mode = pika.DeliveryMode.Persistent.value if persistent else pika.DeliveryMode.Transient.value
    note = {kind: history.writer(kind) for kind in OUTCOMES} if history is not None else None
    send, accepted = channel.basic_publish, 0
    for message, body in enumerate(bodies, first_id):
        properties = pika.BasicProperties(
            message_id=str(message), delivery_mode=mode, headers=headers
        )
        if note:
            note["publish"](message)
        outcome = "confirm"
        try:
            send(exchange, routing_key, body, properties, mandatory)
            accepted += 1
        except UnroutableError:
            outcome = "return"
        except NackError:
            outcome = "nacked"
        if note and confirms:
            note[outcome](message)
    return accepted


def _ensure_confirms(channel: "BlockingChannel") -> None:
    # pika logs an error when confirm mode is asked for twice and offers no public way to see it
    if not channel._delivery_confirmation:
        channel.confirm_delivery()


def route(
    channel: "BlockingChannel",
    exchange: str,
    routing_keys: Sequence[str],
    queues: Sequence[str],
    *,
    timeout_s: float,
) -> "pd.Series[str]":
    """Publish one message for each routing key and find out which queue gets it.

    Args:
        channel: an open channel.
        exchange: its name.
        routing_keys: all different.
        queues: empty ones, into one of which each message goes; they are empty again afterwards.
        timeout_s: deadline for their arrival, in seconds.

    Returns:
        Series[str] of queues, by routing key, in the order given.

    Raises:
        WaitTimeoutError: not every message arrives in one of the queues.
    """
    import pandas as pd

    for routing_key in routing_keys:
        channel.basic_publish(exchange, routing_key, routing_key.encode())

    def counts() -> dict[str, int]:
        return {queue: ready(channel, queue) for queue in queues}

    wait_until(
        lambda: sum(counts().values()) == len(routing_keys),
        timeout_s=timeout_s,
        what=f"{len(routing_keys)} messages in {len(queues)} queue(s)",
    )
    found: dict[str, str] = {}
    for queue, count in counts().items():
        for _ in range(count):
            _, _, body = channel.basic_get(queue, auto_ack=True)
            found[body.decode()] = queue
    return pd.Series(found)[list(routing_keys)]
