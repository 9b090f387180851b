"""Plays of lab 4 for the consumer: it dies, is cut off, or its store fails, at each point."""

import json

import pika

from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.known import BY_ITSELF, Known
from labs.lab04_guarantees.plays import QUEUE, QUIET_S, name


def consumer(trial: Trial, known: Known) -> Finding | None:
    """Judge the consumer, unless it is known to fail without a fault."""
    if known.consumer_fails:
        return NotSeen("e", known.consumer_fails)
    messages = [name(number) for number in range(2)]

    def play() -> Finding | None:
        plays.prepare_as_known(trial, [], known.queue)
        for number, message in enumerate(messages):
            properties = pika.BasicProperties(message_id=message, delivery_mode=2)
            body = json.dumps(plays.body(number))
            trial.channel.basic_publish("", QUEUE, body, properties)
        trial.start("run_consumer", trial.url, trial.store, name="consumer", restarts=3)
        trial.watch.settle(
            lambda: all(plays.acked(trial, m) for m in messages) and has_all(trial, messages),
            quiet_s=QUIET_S,
        )
        trial.end()
        missing = [m for m in messages if not plays.receipts(trial)[m]]
        if not missing and all(plays.acked(trial, m) for m in messages):
            return None
        there = plays.described()
        left = {message[1].message_id for message in trial.take_all(QUEUE, expected=missing)}
        for message in missing:
            if message not in left:
                return gone(trial, known, message, bool(there))
        # An ack sent just before the end can be lost with its connection: this is no fault.
        if open_ones := sorted(m for m in left if not plays.acked(trial, m)):
            return stays(trial, open_ones[0])
        return None

    found: Finding | None = plays.at_each_point(trial, play, role="run_consumer", least=6)
    return found


def has_all(trial: Trial, messages: list[str]) -> bool:
    """Return whether each of these payments has a receipt."""
    return set(messages) <= set(plays.receipts(trial))


def gone(trial: Trial, known: Known, message: str, there: bool) -> Finding:
    """Return the finding about a payment that has no receipt and is in no queue."""
    story = trial.history.story(message)
    why = why_lost(trial, message)
    if known.loss and (not there or why == "not-done"):
        return NotSeen("e", BY_ITSELF)
    return Broken("e", f"{story}: no receipt, and {'in no queue' if there else 'no queue'}", why)


def stays(trial: Trial, message: str) -> Broken:
    """Return the finding about a payment that a consumer does not finish."""
    story = trial.history.story(message)
    if trial.history.events("fail"):
        return Broken("e", f"{message} stays in the queue: {story}", "error-is-passed-over")
    undone = trial.undone("e", story)
    why = undone.misconception if undone.misconception == "raised" else "never-acked"
    return Broken("e", f"{message} stays in the queue: {undone.story}", why)


def why_lost(trial: Trial, message: str) -> str:
    """Return the belief of a consumer that has lost a payment."""
    if trial.watch.auto_acks("subscribed") or trial.watch.auto_acks("delivery"):
        return "auto-ack"
    given_up = [
        boundary
        for boundary in list(trial.watch.boundaries)
        if boundary.at in ("after nack", "after reject") and not boundary.details["requeue"]
    ]
    if any(message in boundary.messages for boundary in given_up):
        return "refused-comes-back"
    failed = trial.history.events("fail")
    acks = trial.history.events("ack", message=message)
    if failed and any(ack.t_s > failed[0].t_s for ack in acks):
        return "error-is-done"
    if any(event.redelivered for event in trial.history.events("deliver", message=message)):
        return "redelivered-means-done"
    return "ack-before-work" if acks else "not-done"
