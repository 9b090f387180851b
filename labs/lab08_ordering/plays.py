"""Shared by the plays of lab 8: events, workers, and the order of the events' effects."""

import itertools
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from helpers import broker
from helpers.errors import WaitTimeoutError
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial, go_on

TABLES = (
    "done (position INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL,"
    " version INTEGER NOT NULL)",
)
WORKERS = range(4)
SHARED_EACH = 4  # every fourth version of a document is a share
LONG_S = 60.0  # for slow workers to do all; a long silence ends the wait earlier
START_S = 2.0  # for a worker to subscribe; code that asks with basic_get never does

Event = dict[str, Any]


class Director:
    """Hold actors at a boundary of one play, or cut their connections."""

    def __init__(self, trial: Trial, at: str = "", *, cut: bool = False) -> None:
        self.held: dict[str, Actor] = {}  # actors held at the boundary, by their key
        self.each = False  # hold each actor once, not only the first one
        self._trial, self._at, self._cut = trial, at, cut
        self._gate = threading.Event()
        trial.direct = self._direct

    def wait(self) -> Actor | None:
        """Wait until an actor is held, and return it; None if none gets there."""
        self._trial.watch.settle(lambda: self.held)
        return next(iter(self.held.values()), None)

    def release(self) -> None:
        """Let all actors go on, and hold no further one."""
        self._trial.direct = go_on
        self._gate.set()

    def _direct(self, actor: Actor, boundary: Boundary) -> Order:
        if self._cut and boundary.at == "delivery":
            self._cut = False
            return "cut"
        free = self.each or not self.held
        if boundary.at == self._at and free and actor.key not in self.held:
            self.held[actor.key] = actor
            return self._gate
        return "go"


def prepare(trial: Trial) -> None:
    """Start over, and run the learner's declare()."""
    trial.fresh(*TABLES)
    run(trial, "declare", trial.url)


def publish(trial: Trial, events: Sequence[Event]) -> Actor:
    """Let the learner publish these events, in this order, in a process of their own."""
    return run(trial, "publish", trial.url, list(events))


def run(trial: Trial, role: str, *arguments: Any) -> Actor:
    """Run a function to its end, and return its actor; later plays notice its errors."""
    actor = trial.start(role, *arguments)
    trial.watch.settle(lambda: actor.returned or not actor.running)
    actor.ended.wait(0.5)
    actor.kill()
    return actor


def worker(trial: Trial, number: int, *, name: str = "", restarts: int = 0) -> Actor:
    """Start a worker, and wait a while until it has subscribed, works, or has ended."""
    known = name or f"worker {number}"
    actor = trial.start("run_worker", trial.url, trial.store, number, name=known, restarts=restarts)

    def ready() -> bool:
        works = any(boundary.at == "delivery" for boundary in list(actor.boundaries))
        return actor.subscribed or works or not actor.running

    with suppress(WaitTimeoutError):  # `settle` would take this for silence
        trial.watch.wait(ready, timeout_s=START_S, what="a worker to subscribe")
    return actor


def owner(trial: Trial, sent: Event) -> int:
    """Publish one event alone, and return the number of the running worker that works on it.

    A delivery does not tell: each worker may be given all events, and leave out most of them.
    """
    so_far = {actor.key: len(actor.boundaries) for actor in trial.actors}
    publish(trial, [sent])
    trial.watch.settle(lambda: sent["version"] in order(trial, sent["document"]))
    for at in ("before effect", "delivery"):
        for actor in trial.actors:
            new = list(actor.boundaries)[so_far.get(actor.key, 0) :]
            if actor.role == "run_worker" and any(boundary.at == at for boundary in new):
                return int(actor.arguments[2])
    return 0


def team(trial: Trial, *, restarts: int = 0) -> None:
    """Start four workers, one after the other, as a deployment does."""
    for number in WORKERS:
        worker(trial, number, restarts=restarts)
    # They may subscribe to further queues.
    trial.watch.calm(0.2, timeout_s=1.0)


def event(document: str, version: int) -> Event:
    """Return one event of a document."""
    later = "comment.added" if version % SHARED_EACH else "document.shared"
    kind = "document.created" if version == 1 else later
    return {"id": f"{document}/{version}", "type": kind, "document": document, "version": version}


def events(documents: Sequence[str], versions: Sequence[int]) -> list[Event]:
    """Return events of several documents, version by version."""
    return [event(document, version) for version in versions for document in documents]


def order(trial: Trial, document: str) -> list[int]:
    """Return the versions of a document in the order of their effects."""
    rows = trial.rows("SELECT version FROM done WHERE document = ? ORDER BY position", [document])
    return [int(version) for (version,) in rows]


def backward(versions: Sequence[int]) -> tuple[int, int] | None:
    """Return the oldest version that comes after a newer one, as (newer, older)."""
    pairs = [
        (older, newer) for newer, older in itertools.combinations(versions, 2) if older < newer
    ]
    older, newer = min(pairs, key=lambda pair: pair[0], default=(0, 0))
    return (newer, older) if pairs else None


def waiting(trial: Trial, messages: Sequence[str]) -> set[str]:
    """End all actors, drain all queues, and return the ids of their messages.

    The broker requeues what a worker held a little after its death, so this waits up to 2 s for
    ``messages``.
    """
    trial.end()
    ids: set[str] = set()

    def complete() -> bool:
        for found in stored(trial).values():
            ids.update(str(message[1].message_id) for message in found)
        return ids >= set(messages)

    trial.watch.settle(complete, timeout_s=2.0, quiet_s=2.0)
    return ids


def stored(trial: Trial) -> dict[str, list[tuple[Any, Any, bytes]]]:
    """Drain all queues; return the messages by the names of their queues."""
    queues = [queue["name"] for queue in broker.api("GET", "queues/{vhost}?disable_stats=true")]
    return {queue: trial.take_all(queue) for queue in queues}


def auto_acks(trial: Trial) -> bool:
    """Return whether a worker uses auto_ack."""
    return trial.watch.auto_acks("delivery")


def listens(trial: Trial) -> bool:
    """Return whether the publisher has asked the broker for confirms."""
    return bool(trial.watch.count("before confirm") or trial.watch.count("before nacked publish"))


def dropped(trial: Trial, message: str) -> Broken | None:
    """Return a finding for an event in no queue that never arrived and was not confirmed.

    A quorum queue takes enqueues a little later than the end of their channel, and what comes after
    that end is out of sequence and dropped, however politely the connection was closed.
    Source: rabbitmq-server, rabbit_fifo_client and `maybe_enqueue` of rabbit_fifo.

    Args:
        trial: the trial.
        message: id of an event that is in no queue.
    """
    if listens(trial) or trial.watch.count("delivery", message):
        return None
    story = f"{trial.history.story(message)} without a confirm, and it never arrived"
    return Broken("h", story, "no-confirms")
