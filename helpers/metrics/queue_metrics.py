"""Read RabbitMQ's numbers about its queues and consumers.

The age of the numbers, measured on RabbitMQ 3.10, 4.0 and 4.3 with their default settings:

======================================  ======================  ===========================
source                                  classic queue           quorum queue
======================================  ======================  ===========================
`ready` (passive declare)               now                     now
`queues`: ready, unacked                now                     up to 5 s old
`queues`: consumers                     a new one: up to 5 s;   a new one: up to 5 s;
                                        one that left: now      one that left: now
`prometheus`, a queue's gauges          up to 5 s old           up to 5 s old
`prometheus`, a channel's counters      now                     now
======================================  ======================  ===========================

A channel that is closed keeps its counters for up to 5 s.

An experiment that asserts a number uses `ready`, or waits for the number with a deadline.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pika.exceptions import ChannelClosedByBroker

from helpers import broker
from helpers.errors import UsageError, WaitTimeoutError
from helpers.waits import wait_until

if TYPE_CHECKING:
    import pandas as pd

# Only this form has the totals on all generations: RabbitMQ 3.10 lacks them for a single queue.
QUEUES = "queues/{vhost}?disable_stats=true&enable_queue_totals=true"


def ready(channel: Any, queue: str) -> int:
    """Count the ready messages of a queue by a passive declare.

    Args:
        channel: an open channel; it is closed by the broker if there is no such queue.
        queue: name of a classic or quorum queue; a stream's count is not reliable here.

    Returns:
        Messages that wait for a consumer; unacknowledged ones do not count. Never an old number.

    Raises:
        UsageError: there is no such queue, or it is exclusive to another connection.

    Source: AMQP 0-9-1, ``queue.declare`` with ``passive``.
    """
    try:
        return int(channel.queue_declare(queue, passive=True).method.message_count)
    except ChannelClosedByBroker as error:
        raise UsageError(
            f"the ready messages of queue {queue!r} cannot be counted, and the broker closed the"
            f" channel: {error.reply_code} {error.reply_text}"
        ) from None


def wait_for_ready(channel: Any, queue: str, count: int, *, timeout_s: float) -> None:
    """Wait until a queue holds exactly ``count`` ready messages.

    Args:
        channel: an open channel.
        queue: name of a classic or quorum queue.
        count: 0 or more.
        timeout_s: deadline in seconds.

    Raises:
        UsageError: see `ready`.
        WaitTimeoutError: the deadline passed; the message holds the last count.

    Source: AMQP 0-9-1, ``queue.declare`` with ``passive``.
    """
    _await(
        lambda: ready(channel, queue),
        count,
        what=f"{count} ready messages in queue {queue!r}",
        timeout_s=timeout_s,
        every_s=0.01,
    )


def settled(channel: Any, queue: str, count: int, *, timeout_s: float) -> int:
    """Give a queue time to hold exactly ``count`` ready messages, and return how many it has.

    Args:
        channel: an open channel.
        queue: name of a classic or quorum queue.
        count: 0 or more.
        timeout_s: how long to give it, in seconds.

    Raises:
        UsageError: see `ready`.

    Source: AMQP 0-9-1, ``queue.declare`` with ``passive``.
    """
    with suppress(WaitTimeoutError):
        wait_for_ready(channel, queue, count, timeout_s=timeout_s)
    return ready(channel, queue)


def queues() -> "pd.DataFrame":
    """List the queues of the scratch vhost with their message and consumer counts.

    Returns:
        DataFrame, sorted by queue: ``queue`` str; ``type`` str; ``ready`` and ``unacked`` Int64
        [messages], missing for streams; ``consumers`` int. A quorum queue's ``ready`` and
        ``unacked`` may be 5 s old; a consumer may be missing from ``consumers`` for its first 5 s.

    Raises:
        BrokerError: the management API does not answer or refuses.

    Source: RabbitMQ documentation, "Management HTTP API", /api/queues and /api/consumers.
    """
    import pandas as pd

    consuming = [consumer["queue"]["name"] for consumer in broker.api("GET", "consumers/{vhost}")]
    rows = [
        {
            "queue": queue["name"],
            "type": queue.get("type", "classic"),
            "ready": queue.get("messages_ready"),
            "unacked": queue.get("messages_unacknowledged"),
            "consumers": consuming.count(queue["name"]),
        }
        for queue in sorted(broker.api("GET", QUEUES), key=lambda queue: str(queue["name"]))
    ]
    return pd.DataFrame(rows, columns=["queue", "type", "ready", "unacked", "consumers"]).astype(
        {"queue": str, "type": str, "ready": "Int64", "unacked": "Int64", "consumers": int}
    )


def wait_for_totals(
    queue: str, *, ready: int | None = None, unacked: int | None = None, timeout_s: float
) -> None:
    """Wait until the management API counts exactly these messages in a queue.

    A quorum queue's numbers are renewed every 5 s: give it 10 s or more, and wait for a number
    that differs from the one before, because an old number counts too.

    Args:
        queue: name of a classic or quorum queue in the scratch vhost.
        ready: messages that wait for a consumer; None: any number.
        unacked: messages delivered and not yet settled; None: any number.
        timeout_s: deadline in seconds.

    Raises:
        UsageError: neither ``ready`` nor ``unacked`` is given.
        WaitTimeoutError: the deadline passed; the message holds the last counts.

    Source: RabbitMQ documentation, "Management HTTP API", /api/queues.
    """
    wanted = {k: v for k, v in {"ready": ready, "unacked": unacked}.items() if v is not None}
    if not wanted:
        raise UsageError("wait_for_totals needs ready, unacked or both")
    fields = {"ready": "messages_ready", "unacked": "messages_unacknowledged"}

    def look() -> dict[str, int | None] | None:
        for found in broker.api("GET", QUEUES):
            if found["name"] == queue:
                return {key: found.get(fields[key]) for key in wanted}
        return None

    _await(look, wanted, what=f"{wanted} in queue {queue!r}", timeout_s=timeout_s, every_s=0.05)


def wait_for_consumers(queue: str, count: int, *, timeout_s: float) -> None:
    """Wait until the management API lists exactly ``count`` consumers of a queue.

    Args:
        queue: name of a queue in the scratch vhost.
        count: 0 or more.
        timeout_s: deadline in seconds; a new consumer takes up to 5 s.

    Raises:
        WaitTimeoutError: the deadline passed; the message holds the last count.

    Source: RabbitMQ documentation, "Management HTTP API", /api/consumers.
    """
    _await(
        lambda: sum(c["queue"]["name"] == queue for c in broker.api("GET", "consumers/{vhost}")),
        count,
        what=f"{count} consumers of queue {queue!r}",
        timeout_s=timeout_s,
        every_s=0.05,
    )


def _await(
    look: Callable[[], object], wanted: object, *, what: str, timeout_s: float, every_s: float
) -> None:
    seen: object = None

    def as_wanted() -> bool:
        nonlocal seen
        seen = look()
        return seen == wanted

    try:
        wait_until(as_wanted, timeout_s=timeout_s, what=what, every_s=every_s)
    except WaitTimeoutError:
        raise WaitTimeoutError(
            f"timed out after {timeout_s:g} s waiting for {what}; last value: {seen!r}"
        ) from None
