"""Plays of lab 4 for the publisher: no queue, a full queue, a bad network, its own death."""

import pika
from pika.exceptions import AMQPChannelError, NackError, UnroutableError

from helpers import broker, chaos
from labs.judge.faults import RETURNS
from labs.judge.findings import Broken, Finding
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.known import Known
from labs.lab04_guarantees.plays import QUEUE, QUIET_S, lost

SWALLOWED_S = 1.0  # for code that does not wait for a confirm to go on


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
    why = known.why_unsent(trial.watch.boundaries, missing[0])
    mandatory = all(boundary.details["mandatory"] for boundary in asked)
    if why == "error-passed-over" and not mandatory:
        why = "confirmed-is-queued"
    story = f"the queue is missing; {trial.history.story(missing[0])}; the queue is declared again"
    return Broken("b", f"{story}: {missing[0]} never gets there", why)


def refused(trial: Trial, known: Known) -> Finding | None:
    """Let a full queue refuse payments; later it has room again."""
    plays.prepare(trial, range(4))
    full = {"max-length": 1, "overflow": "reject-publish"}
    policy = {"pattern": ".*", "apply-to": "queues", "definition": full}
    broker.api("PUT", "policies/{vhost}/full", policy)
    trial.watch.settle(lambda: not accepts(trial), quiet_s=QUIET_S)
    trial.start("run_publisher", trial.url, trial.store, name="publisher", restarts=1)
    trial.watch.settle(
        lambda: plays.over(trial, 2) or trial.watch.count("before publish") >= 16, quiet_s=1.0
    )
    broker.api("DELETE", "policies/{vhost}/full")
    trial.watch.settle(lambda: accepts(trial), quiet_s=QUIET_S)
    plays.send(trial)
    if not (missing := lost(trial, range(4))):
        return None
    story = f"the queue is full; {trial.history.story(missing[0])}; there is room again"
    return known.gone(trial, "c", missing[0], f"{story}: {missing[0]} never gets there")


def accepts(trial: Trial) -> bool:
    """Publish a filler message, and return whether the broker accepts it.

    A channel goes on refusing what a quorum queue had no room for, so each try has a new one.
    """
    channel = trial.channel.connection.channel()
    channel.confirm_delivery()
    try:
        channel.basic_publish("", QUEUE, b"", pika.BasicProperties(message_id="filler"))
    except (NackError, UnroutableError, AMQPChannelError):
        return False
    finally:
        if channel.is_open:
            channel.close()
    return True


def lost_on_the_way(trial: Trial, known: Known) -> Finding | None:
    """Let the network swallow the second publish, and cut it a while later."""
    with chaos.proxy(round_trip_ms=0) as network:
        plays.prepare(trial, range(3))
        hold = plays.Hold(trial, "before publish", number=2)
        url = broker.amqp_url(via=network)
        trial.start("run_publisher", url, trial.store, name="publisher", restarts=3)
        hold.reached()
        network.swallow()
        hold.release()
        trial.watch.calm(SWALLOWED_S)
        network.restore()  # before the cut, so that a reconnect succeeds
        network.cut()
        plays.send(trial)
        missing = lost(trial, range(3))
    if not missing:
        return None
    story = f"{trial.history.story(missing[0])} and swallowed by the network, which breaks then"
    return known.gone(trial, "d", missing[0], f"{story}: {missing[0]} is never sent again")


def publisher_killed(trial: Trial, known: Known) -> Finding | None:
    """Kill the publisher, cut its connection, or let a write or a publish fail, at each point."""

    def play(payments: range) -> Finding | None:
        plays.prepare_as_known(trial, payments, known.queue)
        plays.send(trial)
        if plays.unsent(trial):  # a payment may be left for the next run
            plays.send(trial)
        trouble = trial.trouble()
        if not (missing := lost(trial, payments)):
            return None
        story = trial.history.story(missing[0])
        if missing[0] in plays.unsent(trial):
            return Broken("d", f"{story}; {trouble}: not sent again", "not-done")
        return known.gone(trial, "d", missing[0], f"{story}: noted as sent, and in no queue")

    role = "run_publisher"
    found: Finding | None = plays.at_each_point(trial, lambda: play(range(2)), role=role, least=4)
    if found or not known.minds_refusals:  # b or c has told of those
        return found
    return crash_points(
        trial, lambda: play(range(3)), actions=("fail",), failures=RETURNS, role=role
    )
