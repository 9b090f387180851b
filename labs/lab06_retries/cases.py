"""Shared by the plays of lab 6: request mails, measure waits, read queues."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

from helpers import broker
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import FULL_QUEUE
from labs.judge.findings import NotSeen
from labs.judge.trial import Trial
from labs.lab06_retries.provider import Answer, Call, MailProvider

WORK, DLQ = "notify", "dlq"
DECLARED_S = 10.0
LONG_BYTES = 80  # of a body in a story
RESTARTS = 4


@dataclass(frozen=True)
class Settings:
    """Arguments of `run_worker`."""

    base_s: float
    retries: int
    budget: int = 1000


@dataclass
class Scene:
    """One trial with its mail provider, and the results of earlier plays."""

    trial: Trial
    provider: MailProvider
    reasons: dict[str, str] = field(default_factory=dict)  # broken requirement → belief
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # waiting queues → arguments
    confirms: bool = False  # whether the worker publishes with confirms
    deleted: bool = False  # whether the queues in which mails wait were deleted
    slow: bool = False  # whether the worker takes long for each mail
    changed: str = ""  # a letter in the DLQ whose body is not the published one

    def begin(self, settings: Settings, comments: Sequence[str], answer: Answer) -> str:
        """Start over with the learner's queues and these mails; return what is missing, or ""."""
        trial = self.trial
        trial.fresh().confirm_delivery()
        self.provider.begin(trial, answer)
        self.made, self.deleted, self.changed = {}, False, ""
        declares = trial.start("declare", trial.url, settings.base_s, settings.retries)
        trial.watch.settle(lambda: not declares.running, timeout_s=DECLARED_S, quiet_s=DECLARED_S)
        if not declares.returned:
            return trial.trouble() or "declare() does not return"
        for queue in (WORK, DLQ):
            if self.ready(queue) is None:
                return f"there is no queue {queue} after declare()"
        self.look()
        for comment in comments:
            self.ask(comment)
        return ""

    def look(self) -> None:
        """Note the waiting queues that there are now; some may go away."""
        self.made |= other_queues()

    def ask(self, comment: str) -> None:
        """Request a mail about one comment."""
        publish(self.trial.channel, comment)

    def work(self, settings: Settings, *, number: int = 1) -> Actor:
        """Start a worker, or several; return the first one."""
        arguments = (settings.base_s, settings.retries, settings.budget)
        workers = [
            self.trial.start(
                "run_worker", self.trial.url, self.provider.url, *arguments,
                name="worker", restarts=RESTARTS,
            )
            for _ in range(number)
        ]  # fmt: skip
        return workers[0]

    def publishes(self, comment: str) -> list[Boundary]:
        """Return the copies of a mail that the worker has begun to publish."""
        return [
            boundary
            for boundary in list(self.trial.watch.boundaries)
            if boundary.at == "before publish" and boundary.message == comment
        ]

    def unseen(self, requirement: str, first: str) -> NotSeen:
        """Return a finding for a requirement that depends on another one, which is broken."""
        return NotSeen(requirement, f"it builds on {first}, which does not hold yet")

    def ready(self, queue: str) -> int | None:
        """Return the number of ready messages in a queue; None for a missing queue."""
        channel = self.trial.channel.connection.channel()
        try:
            return int(channel.queue_declare(queue, passive=True).method.message_count)
        except ChannelClosedByBroker:
            return None
        finally:
            with suppress(Exception):
                channel.close()

    def dead(self) -> Counter[str]:
        """Drain the DLQ after the workers ended; return the number of letters for each comment."""
        letters: Counter[str] = Counter()
        for _, _, body in self.trial.take_all(DLQ):
            comment = comment_of(body)
            letters[comment] += 1
            if not same_event(body, comment):
                self.changed = body[:LONG_BYTES].decode(errors="replace")
        return letters

    def requeued(self) -> bool:
        """Return whether a delivery was requeued since the last `begin`."""
        return any(
            boundary.details.get("requeue") for boundary in list(self.trial.watch.boundaries)
        )

    def story(self, comment: str) -> str:
        """Return the story of one mail; the middle of a long one is left out."""
        *steps, last = self.trial.history.story(comment).split(" → ")
        return " → ".join([*steps[:10], "…", last] if len(steps) > 12 else [*steps, last])


def publish(channel: Any, comment: str) -> None:
    """Publish one event, and wait for its confirm."""
    properties = pika.BasicProperties(message_id=comment, delivery_mode=2)
    channel.basic_publish("", WORK, body_of(comment), properties, mandatory=True)


def body_of(comment: str) -> bytes:
    """Return the body of the event about a comment."""
    event = {"type": "comment.added", "comment": comment, "to": "anna@example.com"}
    return json.dumps(event).encode()


def publish_beside(comment: str) -> None:
    """Publish one event over a separate connection, which other threads can do."""
    with broker.connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        publish(channel, comment)


def comment_of(body: bytes | str) -> str:
    """Return the comment that a message, or the beginning of one, is about; "" for none."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    found = re.search(r'"comment":\s*"([^"]*)"', text)
    return found[1] if found else ""


def same_event(body: bytes, comment: str) -> bool:
    """Return whether a body says what the published one says, in whatever form."""
    try:
        return bool(json.loads(body) == json.loads(body_of(comment)))
    except ValueError:
        return False


def other_queues(*, consumed: bool = True) -> dict[str, dict[str, Any]]:
    """Return the arguments of all queues but the two that the brief names.

    Args:
        consumed: whether those that have a consumer count, too.
    """
    listed = broker.api("GET", "queues/{vhost}?disable_stats=true&enable_queue_totals=true")
    return {
        queue["name"]: queue["arguments"]
        for queue in listed
        if queue["name"] not in (WORK, DLQ, FULL_QUEUE) and (consumed or not queue.get("consumers"))
    }


def left_over(trial: Trial) -> dict[str, tuple[str, dict[str, Any]]]:
    """Drain all queues but the DLQ, and return the queue and the headers of each comment."""
    messages = {}
    for queue in (WORK, *other_queues()):
        for _, properties, body in trial.take_all(queue):
            messages[comment_of(body)] = (queue, properties.headers or {})
    return messages


def waits(calls: Sequence[Call]) -> list[float]:
    """Return the time between each call and the next, in seconds."""
    return [later.t_s - call.t_s for call, later in pairwise(calls)]


def width(values: Sequence[float]) -> float:
    """Return the range of the values without the lowest and the highest one."""
    inner = sorted(values)[1:-1]
    return inner[-1] - inner[0] if inner else 0.0


def overtaken(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the share of pairs whose order differs between the two lists of times, 0 to 1.

    Load hardly changes it: messages with equal waits come back in the order in which they went.
    """
    pairs = list(combinations(zip(before, after, strict=True), 2))
    return sum((a[0] < b[0]) != (a[1] < b[1]) for a, b in pairs) / max(1, len(pairs))
