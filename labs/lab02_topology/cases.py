"""The events that lab 2 publishes, who wants each of them, and where they arrive."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.exceptions import AMQPChannelError, UnroutableError

from helpers import broker
from labs.judge.trial import Trial

SERVICES = ("audit", "index", "notify", "thumbnails", "bill_eu", "bill_us", "strays")


@dataclass(frozen=True)
class Case:
    """One event: its routing key and region, which services want it, and what they get wrong.

    ``beliefs`` names the misconception when just this event goes wrong for a service.
    """

    key: str
    region: str = ""
    wanted_by: tuple[str, ...] = ()  # audit wants everything
    beliefs: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.key} (region {self.region})" if self.region else self.key

    def wanted(self, service: str) -> bool:
        """Tell whether a service shall have it; strays has what nobody else but audit wants."""
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


def publish(trial: Trial, exchange: str, case: Case, event: str) -> None:
    """Send one event, persistent, and wait for the broker's confirm; nobody may want it."""
    headers = {"thing": case.key.partition(".")[0]}
    if case.region:
        headers["region"] = case.region
    properties = pika.BasicProperties(message_id=event, delivery_mode=2, headers=headers)
    with suppress(UnroutableError):
        trial.channel.basic_publish(exchange, case.key, b"{}", properties, mandatory=True)


def arrivals(trial: Trial, queues: dict[str, str], cases: list[Case]) -> dict[str, Counter[int]]:
    """Empty the queues; return how many copies of each case, by its number, a service has."""
    arrived: dict[str, Counter[int]] = {}
    for name in set(queues.values()):
        readers = [service for service in queues if queues[service] == name]
        # Nothing is still on its way, since all was confirmed: a short wait is for the unforeseen.
        expected = [
            str(number)
            for number, case in enumerate(cases)
            if any(case.wanted(service) for service in readers)
        ]
        taken = trial.take_all(name, expected=expected, timeout_s=0.2)
        ids = [str(properties.message_id) for _, properties, _ in taken]
        counts = Counter(int(event) for event in ids if event.isdecimal())  # others are not ours
        arrived |= dict.fromkeys(readers, counts)
    return arrived


def depth(queue: str) -> int:
    """Return how many messages are ready in a queue; -1 for a queue that is not there."""
    connection = broker.connect()
    try:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)
    except AMQPChannelError:
        return -1
    finally:
        connection.close()


def exchanges() -> dict[str, dict[str, Any]]:
    """Return the exchanges that were declared, as the broker describes them, by name."""
    listed = broker.api("GET", "exchanges/{vhost}?disable_stats=true")
    return {
        exchange["name"]: exchange
        for exchange in listed
        if exchange["name"] and not exchange["name"].startswith("amq.")
    }


def queues_as_declared() -> dict[str, dict[str, Any]]:
    """Return the queues as the broker describes them, by name."""
    listed = broker.api("GET", "queues/{vhost}?disable_stats=true&enable_queue_totals=true")
    return {queue["name"]: queue for queue in listed}
