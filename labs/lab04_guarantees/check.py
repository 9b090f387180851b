"""Lab 4: a publisher and a consumer that lose nothing, whichever process is killed, at any moment.

The publisher is judged by the queue at the end of a play, the consumer by the receipts in the store
and by what is still in the queue. Duplicates are allowed after a fault.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pika
from pika.exceptions import NackError, UnroutableError

from helpers import broker, chaos
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.broker_death import BrokerDeath
from labs.lab04_guarantees.plays import PATIENCE_S, QUEUE, Known, name

CUTS = 7


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission: first without a fault, then the publisher, the consumer, the broker."""
    known = Known()
    healthy = without_fault(trial, known)
    if healthy:
        yield healthy
        if (
            healthy.misconception == "not-done"
        ):  # without arrivals no other requirement can be judged
            yield from (replace(healthy, requirement=key) for key in "bcdef")
            return
    with BrokerDeath(trial) as death:
        if known.confirms:
            death.begin()
        for broken in (unroutable(trial, known), refused(trial, known)):
            if broken:
                yield broken
        cut_off = lost_on_the_way(trial, known)
        if cut_off and cut_off.misconception == "no-confirms":
            # Without confirms, it is chance how much a broker's death loses.
            yield from (cut_off, replace(cut_off, requirement="f"))
            if broken := consumer(trial, healthy, known):
                yield broken
            return
        death.declare()
        if broken := cut_off or publisher_killed(trial, known):
            yield broken
        death.kill()
        if broken := consumer(trial, healthy, known):
            yield broken
        if broken := death.finish(known):
            yield broken


LAB = Lab(
    number=4,
    title="Nothing is lost",
    question="q04_guarantees",
    requirements={
        "a": "when nothing fails, each payment is sent once and gets one receipt",
        "b": "a payment that reaches no queue is not taken for sent",
        "c": "a payment that the broker refuses is not taken for sent",
        "d": "each payment arrives when the publisher is killed or cut off at any point",
        "e": "each payment gets its receipt when the consumer is killed or cut off at any point",
        "f": "each payment arrives when the broker is killed and comes back",
    },
    roles=("declare(url)", "run_publisher(url, store)", "run_consumer(url, store)"),
    check=check,
    beliefs={
        "no-confirms": "a publish that raises no error has arrived",
        "confirmed-is-queued": "a message that the broker confirms is in a queue",
        "marked-too-early": "what is about to be sent may be noted as sent",
        "error-passed-over": "after an error about one message it is enough to go on with the next",
        "queue-for-ever": "a queue that was declared once stays",
        "duplicates-are-free": "since duplicates are allowed, everything may be sent again",
        "empty-is-done": "a queue that is empty now has nothing more to come",
    },
)


def without_fault(trial: Trial, known: Known) -> Broken | None:
    """Send three payments, then two more with a second publisher; nothing fails."""
    plays.prepare(trial, range(3))
    known.queue = plays.described()
    if not known.queue:
        story = trial.trouble() or "it returned"
        return Broken("a", f"after declare() there is no queue {QUEUE}: {story}", "not-done")
    consumer = trial.start("run_consumer", trial.url, trial.store, name="consumer", restarts=2)
    trial.watch.settle(lambda: consumer.subscribed or not consumer.running, quiet_s=0.5)
    ended = plays.send(trial)
    trial.watch.settle(lambda: len(plays.receipts(trial)) == 3, quiet_s=PATIENCE_S)
    plays.book(trial, range(3, 5))
    ended = plays.send(trial) and ended
    trial.watch.settle(lambda: len(plays.receipts(trial)) == 5, quiet_s=PATIENCE_S)
    trial.watch.settle(lambda: all(plays.acked(trial, m) for m in map(name, range(5))), quiet_s=0.5)
    known.confirms = trial.watch.count("before confirm") > 0
    published = [boundary for boundary in trial.watch.boundaries if boundary.at == "before publish"]
    known.persistent = all(boundary.details["persistent"] for boundary in published)
    returned = any(actor.returned for actor in trial.actors if actor.role == "run_consumer")
    trouble = trial.trouble()
    trial.end()
    if broken := wrong_count(trial, trouble, returned):
        return broken
    if not ended:
        story = trouble or "all is sent"
        return Broken("a", f"{story}, and run_publisher() does not return", "not-done")
    open_ones = [m for m in map(name, range(5)) if not plays.acked(trial, m)]
    left = {message[1].message_id for message in trial.take_all(QUEUE, expected=open_ones)}
    if unacked := sorted(left.intersection(open_ones)):
        story = trial.history.story(unacked[0])
        return Broken("a", f"{story}, and {unacked[0]} is still in the queue", "never-acked")
    return None


def wrong_count(trial: Trial, trouble: str, returned: bool) -> Broken | None:
    """Look for a payment without a receipt, or with several, after a play without a fault."""
    counted = plays.receipts(trial)
    wrong = [message for message in map(name, range(5)) if counted[message] != 1]
    if not wrong:
        return None
    story = trial.history.story(wrong[0])
    if counted[wrong[0]]:
        again = trial.watch.count("before publish", wrong[0]) > 1
        why = "duplicates-are-free" if again else "not-done"
        return Broken("a", f"{story}: {counted[wrong[0]]} receipts", why)
    if returned:
        story = f"run_consumer() returned while {QUEUE} was empty; {story}"
        return Broken("a", f"{story}: no receipt", "empty-is-done")
    return Broken("a", f"{trouble or story}: no receipt", "not-done")


def unroutable(trial: Trial, known: Known) -> Broken | None:
    """Delete the queue just before the first payment is published."""
    plays.prepare(trial, range(2))
    hold = plays.Hold(trial, "before publish")
    trial.start("run_publisher", trial.url, trial.store, name="publisher", restarts=1)
    hold.reached()
    known.early = hold.boundary is not None and hold.boundary.message not in plays.unsent(trial)
    trial.channel.queue_delete(QUEUE)
    hold.release()
    trial.watch.settle(
        lambda: plays.over(trial, 2) or trial.watch.count("before publish") >= 8, quiet_s=1.0
    )
    plays.declare(trial, trial.url)
    plays.send(trial)
    if not (missing := lost(trial, range(2))):
        return None
    asked = [boundary for boundary in trial.watch.boundaries if boundary.at == "before publish"]
    why = known.why_unsent()
    mandatory = all(boundary.details["mandatory"] for boundary in asked)
    if known.confirms and not known.early and not mandatory:
        why = "confirmed-is-queued"
    story = f"the queue is missing; {trial.history.story(missing[0])}; the queue is declared again"
    return Broken("b", f"{story}: {missing[0]} never gets there", why)


def refused(trial: Trial, known: Known) -> Broken | None:
    """Let a full queue refuse payments; later it has room again."""
    plays.prepare(trial, range(4))
    trial.channel.confirm_delivery()
    full = {"max-length": 1, "overflow": "reject-publish"}
    policy = {"pattern": ".*", "apply-to": "queues", "definition": full}
    broker.api("PUT", "policies/{vhost}/full", policy)
    trial.watch.settle(lambda: not accepts(trial), quiet_s=PATIENCE_S)
    trial.start("run_publisher", trial.url, trial.store, name="publisher", restarts=1)
    trial.watch.settle(
        lambda: plays.over(trial, 2) or trial.watch.count("before publish") >= 16, quiet_s=1.0
    )
    broker.api("DELETE", "policies/{vhost}/full")
    trial.watch.settle(lambda: accepts(trial), quiet_s=PATIENCE_S)
    plays.send(trial)
    if not (missing := lost(trial, range(4))):
        return None
    story = f"the queue is full; {trial.history.story(missing[0])}; there is room again"
    return Broken("c", f"{story}: {missing[0]} never gets there", known.why_unsent())


def accepts(trial: Trial) -> bool:
    """Publish a filler message, and return whether the broker accepts it."""
    try:
        trial.channel.basic_publish("", QUEUE, b"", pika.BasicProperties(message_id="filler"))
    except (NackError, UnroutableError):
        return False
    return True


def lost_on_the_way(trial: Trial, known: Known) -> Broken | None:
    """Let the network swallow the second publish, and cut it a while later."""
    with chaos.proxy(round_trip_ms=0) as network:
        plays.prepare(trial, range(3))
        hold = plays.Hold(trial, "before publish", number=2)
        url = broker.amqp_url(via=network)
        trial.start("run_publisher", url, trial.store, name="publisher", restarts=3)
        hold.reached()
        network.swallow()
        hold.release()
        trial.watch.settle(lambda: plays.over(trial, 1), quiet_s=1.0)
        network.restore()  # before the cut, so that a reconnect succeeds
        network.cut()
        plays.send(trial)
        missing = lost(trial, range(3))
    if not missing:
        return None
    story = f"{trial.history.story(missing[0])} and swallowed by the network, which breaks then"
    return Broken("d", f"{story}: {missing[0]} is never sent again", known.why_unsent())


def publisher_killed(trial: Trial, known: Known) -> Broken | None:
    """Kill the publisher, or cut its connection, at each point of two payments."""

    def play() -> Broken | None:
        plays.prepare_as_known(trial, range(2), known)
        plays.send(trial)
        trouble = trial.trouble()
        if not (missing := lost(trial, range(2))):
            return None
        story = trial.history.story(missing[0])
        if missing[0] in plays.unsent(trial):
            return Broken("d", f"{story}; {trouble}: not sent again", "not-done")
        return Broken("d", f"{story}: noted as sent, and in no queue", known.why_unsent())

    return at_each_point(trial, play, role="run_publisher", least=4)


def at_each_point(
    trial: Trial, play: Callable[[], Broken | None], *, role: str, least: int
) -> Broken | None:
    """Kill a process at each point, and cut its connection at every second one."""
    return crash_points(trial, play, role=role, least=least) or crash_points(
        trial, play, actions=("cut",), role=role, least=least, most=CUTS
    )


def lost(trial: Trial, payments: range) -> list[str]:
    """End all actors, and return the payments that are not in the queue."""
    arrived = plays.arrived(trial, payments)
    return [message for message in map(name, payments) if message not in arrived]


def consumer(trial: Trial, healthy: Broken | None, known: Known) -> Broken | None:
    """Judge the consumer, unless it is known to fail without a fault."""
    if healthy and healthy.misconception in ("empty-is-done", "never-acked"):
        return replace(healthy, requirement="e")
    return consumer_killed(trial, known)


def consumer_killed(trial: Trial, known: Known) -> Broken | None:
    """Kill the consumer, or cut its connection, at each point of two payments."""
    messages = [name(number) for number in range(2)]

    def play() -> Broken | None:
        plays.prepare_as_known(trial, [], known)
        for message in messages:
            trial.channel.basic_publish(
                "", QUEUE, f'{{"payment": "{message}", "cents": 100}}',
                pika.BasicProperties(message_id=message, delivery_mode=2),
            )  # fmt: skip
        trial.start("run_consumer", trial.url, trial.store, name="consumer", restarts=3)
        trial.watch.settle(
            lambda: all(plays.acked(trial, m) for m in messages) and has_all(trial, messages),
            quiet_s=PATIENCE_S,
        )
        trial.end()
        missing = [m for m in messages if not plays.receipts(trial)[m]]
        there = plays.described()
        left = {message[1].message_id for message in trial.take_all(QUEUE, expected=missing)}
        for message in missing:
            if message not in left:
                events = trial.history.story(message)
                gone = "in no queue" if there else "gone with the queue"
                why = why_lost(trial, message) if there else "queue-for-ever"
                return Broken("e", f"{events}: no receipt, and {gone}", why)
        # An ack sent just before the end can be lost with its connection: this is no fault.
        if open_ones := sorted(m for m in left if not plays.acked(trial, m)):
            story = trial.trouble() or trial.history.story(open_ones[0])
            return Broken("e", f"{open_ones[0]} stays in the queue: {story}", "never-acked")
        return None

    return at_each_point(trial, play, role="run_consumer", least=6)


def has_all(trial: Trial, messages: list[str]) -> bool:
    """Return whether each of these payments has a receipt."""
    return set(messages) <= set(plays.receipts(trial))


def why_lost(trial: Trial, message: str) -> str:
    """Return the belief of a consumer that has lost a payment."""
    if trial.watch.auto_acks("subscribed"):
        return "auto-ack"
    if any(event.redelivered for event in trial.history.events("deliver", message=message)):
        return "redelivered-means-done"
    return "ack-before-work"
