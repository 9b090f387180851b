"""What loses messages only later: read from what is declared, since no check waits for a day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from helpers import broker
from helpers.rabbitmq.generations import age

DAY_S = 24 * 3600
MANY = 10_000  # messages that a queue has to hold; the briefs say both


@dataclass(frozen=True)
class Queue:
    """A queue as it was declared."""

    name: str
    durable: bool
    auto_delete: bool
    exclusive: bool
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Loss:
    """A way in which a message will be lost: one sentence, and the belief behind it."""

    sentence: str
    misconception: str


def queues(names: Iterable[str] | None = None) -> list[Queue]:
    """Return the queues of the scratch vhost.

    Args:
        names: only those of these names; None: all.

    Source: RabbitMQ documentation, "Management HTTP API", /api/queues/vhost.
    """
    wanted = None if names is None else set(names)
    return [
        Queue(
            name=entry["name"],
            durable=bool(entry["durable"]),
            auto_delete=bool(entry["auto_delete"]),
            exclusive=bool(entry.get("exclusive")),
            arguments=dict(entry.get("arguments") or {}),
        )
        for entry in broker.api("GET", "queues/{vhost}?disable_stats=true")
        if wanted is None or entry["name"] in wanted
    ]


def losses(queue: Queue) -> Iterator[Loss]:
    """Yield the ways in which a queue loses messages that nobody has taken for a day.

    Source: RabbitMQ documentation, "Time-to-Live and Expiration" and "Queue Length Limit".
    """
    given, name = queue.arguments, queue.name
    if not queue.durable:
        yield Loss(f"queue {name} is not durable: gone when the broker restarts", "transient-queue")
    if queue.exclusive or queue.auto_delete:
        how = "exclusive" if queue.exclusive else "auto-delete"
        yield Loss(f"queue {name} is {how}: gone when its consumer goes", "queue-stays")
    if (expires_ms := given.get("x-expires")) is not None and expires_ms < DAY_S * 1000:
        sentence = f"queue {name} is deleted after {expires_ms / 1000:g} s without a consumer"
        yield Loss(f"{sentence} (x-expires)", "queue-stays")
    ttl_ms = given.get("x-message-ttl")
    kept = "x-dead-letter-exchange" in given
    if ttl_ms is not None and ttl_ms < DAY_S * 1000 and not kept:
        sentence = f"queue {name} throws a message away after {ttl_ms / 1000:g} s"
        yield Loss(f"{sentence} (x-message-ttl)", "old-may-go")
    refuses = str(given.get("x-overflow", "drop-head")).startswith("reject-publish")
    most = given.get("x-max-length")
    if most is not None and most < MANY and not refuses and not kept:
        sentence = f"queue {name} drops its oldest message when it holds {most}"
        yield Loss(f"{sentence} (x-max-length)", "full-refuses")
    most_bytes = given.get("x-max-length-bytes")
    if most_bytes is not None and most_bytes < MANY * 1000 and not refuses and not kept:
        sentence = f"queue {name} drops its oldest message when it holds {most_bytes} bytes"
        yield Loss(f"{sentence} (x-max-length-bytes)", "full-refuses")


def loss_at_return(queue: Queue) -> Loss | None:
    """Return how a queue loses a message that comes back to it, or None.

    Source: measured; see "delivery limit" in docs/rabbitmq-4.md.
    """
    limit, here = queue.arguments.get("x-delivery-limit", 0), broker.find()
    if limit >= 0 or age(here.generation) >= age("4.0"):
        return None
    sentence = f"queue {queue.name} drops a message when it comes back (x-delivery-limit={limit})"
    return Loss(f"{sentence}: RabbitMQ {here.version} is older than 4.0", "not-done")


def first_loss(names: Iterable[str]) -> Loss | None:
    """Return the first way in which one of these queues loses messages, or None."""
    return next((loss for queue in queues(names) for loss in losses(queue)), None)


def message_loss(properties: Any) -> Loss | None:
    """Return how a message gets lost in a durable queue, or None: transient, or expiring.

    Args:
        properties: pika's, as the message has them in the queue.
    """
    if properties.delivery_mode != 2:
        return Loss("the message is transient: gone when the broker restarts", "transient-message")
    if properties.expiration is not None and int(properties.expiration) < DAY_S * 1000:
        sentence = f"the message expires after {int(properties.expiration) / 1000:g} s"
        return Loss(sentence, "old-may-go")
    return None
