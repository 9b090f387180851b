"""The events of lab 2, the services that want each of them, and the queues where they arrive."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.exceptions import AMQPChannelError, NackError, UnroutableError

from helpers import broker
from labs.judge import later
from labs.judge.later import Loss, Queue
from labs.judge.trial import Trial

SERVICES = ("audit", "index", "notify", "thumbnails", "bill_eu", "bill_us", "strays")


@dataclass(frozen=True)
class Case:
    """One event: its routing key and region, and the services that want it.

    ``beliefs`` maps a service to the misconception because of which it misses this event.
    """

    key: str
    region: str = ""
    wanted_by: tuple[str, ...] = ()  # audit wants everything
    beliefs: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.key} (region {self.region})" if self.region else self.key

    def wanted(self, service: str) -> bool:
        """Return whether a service wants the event; strays wants what only audit wants."""
        if service == "strays":
            return not self.wanted_by
        return service == "audit" or service in self.wanted_by


NO_KEY = {"bill_eu": "headers-and-key", "bill_us": "headers-and-key"}
ONE_WORD = {"thumbnails": "hash-is-one-word"}
HALF = {"notify": "one-binding"}
ANY = {"bill_eu": "any-is-all", "bill_us": "any-is-all", "strays": "one-ae"}

CASES = (
    Case("login.failed"),
    Case("documents.archived"),
    Case("document.created", "eu", ("index",), NO_KEY),
    Case("document.created.page", "us", ("index", "thumbnails"), NO_KEY),
    Case("document.replaced.page", "", ("index", "thumbnails")),
    Case("document.page", "", ("index",), ONE_WORD),
    Case("document.created.first.page", "", ("index",), ONE_WORD),
    Case("document", "", ("index",)),
    Case("comment.added", "us", ("notify",), HALF | NO_KEY),
    Case("comment.reply.added", "", ("notify",)),
    Case("folder.shared", "", ("notify",), HALF),
    Case("folder.team.shared", "eu", ("notify",), NO_KEY),
    Case("document.shared", "", ("index", "notify"), HALF),
    Case("comment.shared", "", ("notify",)),
    Case("shared", "", ("notify",)),
    Case("payment.captured", "eu", ("bill_eu",), ANY),
    Case("payment.captured", "us", ("bill_us",), ANY),
    Case("payment.refund.requested", "us", ("bill_us",), ANY),
    Case("payment.captured", "asia", (), ANY),
    Case("payment.captured", "", (), ANY),
    Case("workspace.document.created", "eu", (), NO_KEY),
)


def publish(channel: Any, exchange: str, case: Case, event: str) -> None:
    """Publish one event, persistent, and wait for its confirm; it may be unroutable, or refused."""
    headers = {"thing": case.key.partition(".")[0]}
    if case.region:
        headers["region"] = case.region
    properties = pika.BasicProperties(message_id=event, delivery_mode=2, headers=headers)
    with suppress(UnroutableError, NackError):
        channel.basic_publish(exchange, case.key, b"{}", properties, mandatory=True)


def arrivals(trial: Trial, queues: dict[str, str], cases: list[Case]) -> dict[str, Counter[int]]:
    """Drain the queues; return each service's number of copies of each case, by its index."""
    arrived: dict[str, Counter[int]] = {}
    for name in set(queues.values()):
        readers = [service for service in queues if queues[service] == name]
        # All events are confirmed, so they are in their queues: a short wait is enough.
        expected = [
            str(number)
            for number, case in enumerate(cases)
            if any(case.wanted(service) for service in readers)
        ]
        taken = trial.take_all(name, expected=expected, timeout_s=0.2)
        ids = [str(properties.message_id) for _, properties, _ in taken]
        counts = Counter(int(event) for event in ids if event.isdecimal())  # not the learner's
        arrived |= dict.fromkeys(readers, counts)
    return arrived


def depth(trial: Trial, queue: str) -> int:
    """Return the number of ready messages in a queue; -1 for a missing queue."""
    channel = trial.channel.connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).method.message_count)
    except AMQPChannelError:
        return -1
    finally:
        if channel.is_open:
            channel.close()


def exchanges() -> dict[str, dict[str, Any]]:
    """Return the learner's exchanges by name, as the management API describes them."""
    listed = broker.api("GET", "exchanges/{vhost}?disable_stats=true")
    return {
        exchange["name"]: exchange
        for exchange in listed
        if exchange["name"] and not exchange["name"].startswith("amq.")
    }


def losses(made: dict[str, Any]) -> dict[str, Loss]:
    """Return the first way in which each service's queue loses events, for queues that do."""
    found: dict[str, Loss] = {}
    by_name = {queue.name: queue for queue in later.queues(made["queues"].values())}
    for service in SERVICES:
        queue = by_name.get(made["queues"][service])
        if queue is None:
            continue
        if loss := next(later.losses(queue), None) or little_room(queue):
            found[service] = loss
    return found


def little_room(queue: Queue) -> Loss | None:
    """Return how a queue refuses events that it has to hold, or None."""
    most = queue.arguments.get("x-max-length")
    if most is None or most >= later.MANY:
        return None
    return Loss(f"queue {queue.name} takes no event when it holds {most}", "room-enough")
