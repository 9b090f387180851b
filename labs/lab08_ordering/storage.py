"""Lab 8: what publish() leaves in the queues, and for how long the store is locked."""

import json
import sqlite3
import time
from collections.abc import Collection, Iterator

from helpers import broker
from labs.judge import later
from labs.judge.faults import REFUSALS
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab08_ordering import plays
from labs.lab08_ordering.order import DOCUMENT
from labs.lab08_ordering.plays import Director, Event, event, events, order

LOCK_S = 0.25  # the brief says it
TRIES = 5  # the shortest counts: other load makes some longer


def published(trial: Trial) -> Iterator[Broken]:
    """Publish without a worker; compare what is in the queues with the brief, and how it lasts."""
    plays.prepare(trial)
    sent = events([f"document-{number}" for number in range(8)], [1])
    plays.publish(trial, sent)
    if trouble := trial.trouble():
        yield Broken("a", trouble, "raised")
        return
    found = plays.stored(trial)
    messages = [message for group in found.values() for message in group]
    bodies = {str(properties.message_id): body for _, properties, body in messages}
    for item in sent:
        if item["id"] not in bodies:
            story = (
                f"publish() returned, and no queue has a message with the message_id {item['id']}"
            )
            known = bool(bodies) and set(bodies) < {each["id"] for each in sent}
            lost = plays.dropped(trial, item["id"]) if known else None  # others are as they should
            yield lost or Broken("a", story, "not-done")
            return
        if not is_json(bodies[item["id"]], item):
            shown = bodies[item["id"]][:80].decode(errors="replace")
            yield Broken("a", f"{item['id']} is not sent as its JSON, but as {shown}", "not-done")
            return
    yield from lost_later([queue for queue, group in found.items() if group])
    for _, properties, _ in messages:
        if loss := later.message_loss(properties):
            yield Broken("h", f"{properties.message_id}: {loss.sentence}", loss.misconception)
            return


def lost_later(queues: Collection[str]) -> Iterator[Broken]:
    """Yield how exchanges, or these queues, lose events in a restart, within a day, or a death."""
    for exchange in broker.api("GET", "exchanges/{vhost}?disable_stats=true"):
        if not exchange["durable"]:
            story = f"exchange {exchange['name']} is not durable: gone when the broker restarts"
            yield Broken("h", story, "transient-exchange")
    if loss := later.first_loss(queues):
        yield Broken("h", loss.sentence, loss.misconception)
    for queue in later.queues(queues):
        if loss := later.loss_at_return(queue):
            yield Broken("d", loss.sentence, loss.misconception)


def is_json(body: bytes, item: Event) -> bool:
    """Return whether a message's body is this event as JSON."""
    try:
        return bool(json.loads(body) == item)
    except ValueError:
        return False


def refused(trial: Trial, number: int) -> Broken | None:
    """Let the broker refuse each of four publishes in turn: by a nack, by closing the channel."""
    versions = range(1, 5)
    sent = events([DOCUMENT], versions)

    def play() -> Broken | None:
        plays.prepare(trial)
        publisher = plays.publish(trial, sent)
        confirmed = {item.message for item in trial.history.events("confirm")}
        wanted = [item["version"] for item in sent if publisher.returned or item["id"] in confirmed]
        plays.worker(trial, number, restarts=3)
        trial.watch.settle(lambda: set(wanted) <= set(order(trial, DOCUMENT)))
        trial.watch.calm(0.1)
        failed = [trial.history.story(item.message) for item in trial.history.events("fail")]
        story, confirms = "; ".join(failed), plays.listens(trial)
        trial.end()
        done = order(trial, DOCUMENT)
        in_order = f"{story}; the versions worked on: {' '.join(map(str, done)) or 'none'}"
        if plays.backward(done) or sorted(set(done)) != list(range(1, max(done, default=0) + 1)):
            why = "refused-may-follow" if plays.backward(done) else "error-passed-over"
            return Broken("h", in_order, why if confirms else "no-confirms")
        missing = [event(DOCUMENT, version)["id"] for version in wanted if version not in done]
        if missing and missing[0] not in plays.waiting(trial, missing):
            ending = f"{in_order}; publish() returned, and {missing[0]} is in no queue"
            return Broken("h", ending, "error-passed-over" if confirms else "no-confirms")
        return None

    return crash_points(
        trial, play, actions=("fail",), role="publish", failures=REFUSALS, least=4, most=4
    )


def locked(trial: Trial) -> Broken | None:
    """Let the running workers handle single events, and try meanwhile to lock the store."""
    longest = []
    for version in range(1, TRIES + 1):
        director = Director(trial, "delivery")
        plays.publish(trial, [event("locked", version)])
        director.wait()
        with trial.probing() as db:
            longest.append(lock_time(trial, db, director, version))
        if longest[-1] <= LOCK_S:
            return None
    times = ", ".join(f"{lock_s:.1f} s" for lock_s in longest)
    story = f"one event after the other: the store was locked for {times}, by one worker each"
    return Broken("c", story, "lock-costs-nothing")


def lock_time(trial: Trial, db: sqlite3.Connection, director: Director, version: int) -> float:
    """Release a worker, and return for how many seconds at most it locks the store at a stretch."""
    since, most = 0.0, 0.0

    def over() -> bool:
        nonlocal since, most
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        except sqlite3.OperationalError:
            since = since or time.monotonic()
            most = max(most, time.monotonic() - since)
            return False
        most, since = max(most, time.monotonic() - since if since else 0.0), 0.0
        return version in order(trial, "locked")

    director.release()
    trial.watch.settle(over)
    return most
