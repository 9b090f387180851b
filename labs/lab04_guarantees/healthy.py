"""Plays of lab 4 in which nothing fails: one payment alone, then five with a consumer."""

from typing import Any

from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.known import BY_ITSELF, Known
from labs.lab04_guarantees.plays import QUEUE, QUIET_S, name

PAYMENTS = 5


def one_payment(trial: Trial, known: Known) -> Broken | None:
    """Send one payment without a consumer, and look at the queue and at the message in it."""
    plays.prepare(trial, [0])
    known.queue = plays.described()
    if not known.queue:
        return trial.undone("a", f"declare() has ended, and there is no queue {QUEUE}")
    if known.queue["type"] not in ("classic", "quorum"):
        return Broken("a", f"{QUEUE} is a {known.queue['type']}, and no queue", "not-done")
    ended = plays.send(trial)
    known.confirms = trial.watch.count("before confirm") > 0
    published = [boundary for boundary in trial.watch.boundaries if boundary.at == "before publish"]
    known.persistent = all(boundary.details["persistent"] for boundary in published)
    undone = trial.undone("a", "run_publisher() sends nothing")
    trial.end()
    taken = trial.take_all(QUEUE, expected=[name(0)])
    known.read_losses(taken[0][1] if taken else None)
    if not taken and not (published and known.loss):
        return undone
    if not ended:
        left = "all is sent, and run_publisher() does not return"
        return Broken("a", undone.story if undone.misconception == "raised" else left,
                      undone.misconception)  # fmt: skip
    return malformed(taken)


def malformed(taken: list[tuple[Any, Any, bytes]]) -> Broken | None:
    """Look at the message of the first payment: its id, and its body."""
    for _, properties, text in taken:
        story = f"the message_id of {name(0)} is {properties.message_id!r}"
        if properties.message_id == name(0):
            story = f"the body of {name(0)} is {text[:80].decode(errors='replace')}"
            if plays.says(text, plays.body(0)):
                continue
        return Broken("a", story, "form-is-free")
    return None


def without_fault(trial: Trial, known: Known) -> Finding | None:
    """Send three payments, then two more with a second publisher; nothing fails."""
    plays.prepare(trial, range(3))
    trial.start("run_consumer", trial.url, trial.store, name="consumer", restarts=2)
    plays.send(trial)
    trial.watch.settle(lambda: len(plays.receipts(trial)) == 3, quiet_s=QUIET_S)
    plays.book(trial, range(3, PAYMENTS))
    plays.send(trial)
    trial.watch.settle(lambda: len(plays.receipts(trial)) == PAYMENTS, quiet_s=QUIET_S)
    all_of_them = [name(number) for number in range(PAYMENTS)]
    trial.watch.settle(lambda: all(plays.acked(trial, m) for m in all_of_them), quiet_s=0.5)
    returned = any(actor.returned for actor in trial.actors if actor.role == "run_consumer")
    undone = trial.undone("a")
    trial.end()
    if broken := sent_again(trial, known):
        return broken
    if known.loss and (
        any_undelivered := [
            message
            for message in all_of_them
            if not trial.history.events("deliver", message=message)
        ]
    ):
        return NotSeen("a", f"{any_undelivered[0]} is never delivered: {BY_ITSELF}")
    if broken := miscounted(trial, undone, returned):
        known.consumer_fails = "the consumer does not even work when nothing fails: see a"
        return broken
    open_ones = [message for message in all_of_them if not plays.acked(trial, message)]
    left = {message[1].message_id for message in trial.take_all(QUEUE, expected=open_ones)}
    if unacked := sorted(left.intersection(open_ones)):
        known.consumer_fails = "what the consumer has worked on stays in the queue: see a"
        story = trial.history.story(unacked[0])
        return Broken("a", f"{story}, and {unacked[0]} is still in the queue", "never-acked")
    return None


def sent_again(trial: Trial, known: Known) -> Broken | None:
    """Look for a payment that was published more than once although nothing failed."""
    for message in map(name, range(PAYMENTS)):
        times = trial.watch.count("before publish", message)
        if times < 2:
            continue
        story = f"{trial.history.story(message)}: published {times} times"
        confirmed = bool(trial.history.events("confirm", message=message))
        wrote = trial.watch.count("after effect", actor="publisher") > 0
        if confirmed and not wrote and known.asks_publish:
            told = "basic_publish returns None, and raises when it fails"
            return Broken("a", f"{story}, confirmed, and never noted: {told}", "publish-tells")
        if plays.wrote_in_vain(trial, "publisher"):
            return Broken("a", f"{story}, and the note is never committed", "written-is-kept")
        return Broken("a", story, "duplicates-are-free")
    return None


def miscounted(trial: Trial, undone: Broken, returned: bool) -> Broken | None:
    """Look for a payment without a receipt, or with several, after a play without a fault."""
    counted = plays.receipts(trial)
    wrong = [message for message in map(name, range(PAYMENTS)) if counted[message] != 1]
    if not wrong:
        return None
    story = trial.history.story(wrong[0])
    if counted[wrong[0]]:
        return Broken("a", f"{story}: {counted[wrong[0]]} receipts", "not-done")
    if plays.wrote_in_vain(trial, "consumer"):
        return Broken("a", f"{story}: the receipt is never committed", "written-is-kept")
    if returned:
        story = f"run_consumer() returned while {QUEUE} was empty; {story}"
        return Broken("a", f"{story}: no receipt", "empty-is-done")
    told = undone.story if undone.misconception == "raised" else story
    return Broken("a", f"{told}: no receipt", undone.misconception)
