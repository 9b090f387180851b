"""The play of lab 2 in which everything is declared again, by another process, under traffic."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Self

from pika.exceptions import AMQPError

from helpers import broker
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.later import Loss
from labs.judge.trial import Trial, go_on
from labs.lab02_topology.cases import CASES, SERVICES, Case, depth, publish
from labs.lab02_topology.declaring import declared

# Together they reach every queue.
ROUND = (
    Case("document.created.page", "", ("index", "thumbnails")),
    Case("folder.shared", "", ("notify",)),
    Case("payment.captured", "eu", ("bill_eu",)),
    Case("payment.captured", "us", ("bill_us",)),
    Case("login.failed"),
)
OLD = "before-"  # begins the ids of events that wait when everything is declared again
REMOVAL = "after removal"  # a boundary: a queue, an exchange or a binding is gone
END_S = 5.0


class Traffic:
    """Publishes one event after the other, with confirms, from its entry until it is left.

    Every event of `ROUND` comes once in each round.
    """

    def __init__(self, exchange: str) -> None:
        """Prepare it.

        Args:
            exchange: where to publish.
        """
        self.came: Counter[str] = Counter()  # events for each service
        self.failed = ""  # the first event that could not be published, and why
        self._exchange, self._over, self._begun = exchange, threading.Event(), threading.Event()
        self._waiting: list[threading.Event] = []  # for a round
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._publish, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait(END_S)
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._over.set()
        self._thread.join(END_S)

    def round(self) -> threading.Event:
        """Return an event that is set at the end of the next whole round, or of the last."""
        with self._lock:
            done = self._begun if self.failed else threading.Event()
            self._waiting.append(done)
        return done

    def _publish(self) -> None:
        with closing(broker.connect()) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            while not (self.failed or self._over.is_set()):
                with self._lock:
                    waiting, self._waiting = self._waiting, []
                self.failed = self._publish_round(channel)
                with self._lock:  # after a failure, no other round comes
                    waiting += self._waiting if self.failed else []
                for done in (self._begun, *waiting):
                    done.set()

    def _publish_round(self, channel: Any) -> str:
        """Publish each event once; return why one could not be published, or ""."""
        for number, case in enumerate(ROUND):
            try:
                publish(channel, self._exchange, case, str(number))
            except AMQPError as error:
                return f"{case} cannot be published: {error}"
            self.came.update(service for service in SERVICES if case.wanted(service))
        return ""


def again(trial: Trial, right: Sequence[str], lost: Mapping[str, Loss]) -> Finding | None:
    """Publish all events, and go on publishing while everything is declared again.

    Args:
        trial: the trial; it starts over.
        right: services that have got what they want; the others are not looked at.
        lost: services whose queues lose events by themselves.
    """
    if not right:
        return NotSeen("g", "no service gets what it wants, as a to f say")
    trial.fresh()
    first, problem = declared(trial, "g")
    if problem:
        return problem
    trial.channel.confirm_delivery()
    publish_all(trial, first["exchange"], OLD)
    once = depths(trial, first)
    made, came, problem = deployed(trial, first["exchange"])
    if problem:
        return problem
    publish_all(trial, made["exchange"])
    now = depths(trial, made)
    missing = {key: 2 * once[key] + came[key] - now[key] for key in right}
    wrong = [service for service in right if missing[service]]
    if not wrong:
        return None
    service = next((service for service in wrong if service not in lost), wrong[0])
    if service in lost:
        return NotSeen("g", f"{lost[service].sentence}, as h says")
    old, new = first["queues"][service], made["queues"][service]
    return changed(trial, (old, new), once[service], missing[service])


def deployed(trial: Trial, exchange: str) -> tuple[dict[str, Any], Counter[str], Broken | None]:
    """Declare everything again while events are published to an exchange.

    After each removal, `declare` waits until every event of a round has been published.

    Returns:
        The return value of `declare`, the number of events for each service, and what broke.
    """
    with Traffic(exchange) as sent:
        # Without the wait, whether an event falls into the gap would be a matter of luck.
        trial.direct = lambda _, boundary: sent.round() if boundary.at == REMOVAL else "go"
        try:
            made, problem = declared(trial, "g")
        finally:
            trial.direct = go_on
    if problem:
        problem = replace(problem, story=f"declare() is called again: {problem.story}")
    elif sent.failed:
        story = f"declare() is called again, and meanwhile {sent.failed}"
        problem = Broken("g", story, "nobody-publishes")
    return made, sent.came, problem


def publish_all(trial: Trial, exchange: str, prefix: str = "") -> None:
    """Publish every case once, with message ids that begin with a prefix."""
    for number, case in enumerate(CASES):
        publish(trial.channel, exchange, case, f"{prefix}{number}")


def depths(trial: Trial, made: dict[str, Any]) -> dict[str, int]:
    """Return the number of events in each service's queue."""
    return {service: depth(trial, made["queues"][service]) for service in SERVICES}


def changed(trial: Trial, names: tuple[str, str], before: int, missing: int) -> Broken:
    """Return the finding about a queue that lacks events after all, or has too many.

    Args:
        trial: the trial.
        names: of the queue, from the first and from the second call of `declare`.
        before: events in it before the second call.
        missing: events that it lacks at the end.
    """
    old, new = names
    story = f"{before} events are in {old!r} → declare() is called again"
    if new != old:
        return Broken("g", f"{story} → the queue is {new!r} from now on", "queue-per-instance")
    if missing < 0:
        return Broken("g", f"{story} → {-missing} events come twice", "not-done")
    ids = [str(properties.message_id) for _, properties, _ in trial.take_all(old)]
    if (kept := sum(event.startswith(OLD) for event in ids)) < before:
        return Broken("g", f"{story} → {kept} of them are left", "fresh-start")
    story += f" while others are published → {missing} of those are missing"
    return Broken("g", story, "nobody-publishes")
