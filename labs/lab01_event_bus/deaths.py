"""Lab 1: deaths, lost connections and a store that fails, at each point of a service's work."""

from labs.judge.faults import WRITES
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab01_event_bus.cases import (
    events_of,
    prepare,
    publish,
    queues_of,
    subscribing,
    undone,
    wait,
)


def killed(trial: Trial, service: str) -> Broken | None:
    """A service is killed, cut off, or failed by its store, at each point of its work."""

    def done() -> bool:
        return bool(trial.watch.count("after ack") and events_of(trial, service))

    def play() -> Broken | None:
        prepare(trial)
        with subscribing(trial, service):
            publish(trial, "e-1", "document.created")
        wait(trial, done)
        if trial.history.events("fail") and not done():
            trial.end()  # it stands still: it is ended, and started again
            trial.watch.patient = True
            with subscribing(trial, service):
                pass
            wait(trial, done)
        ended = any(actor.returned for actor in trial.actors)
        reason = undone(trial, service)
        trial.end()
        story = trial.history.story("e-1")
        if not trial.watch.count("delivery"):
            return Broken("f", *reason)
        left = waits(trial, service)
        if not events_of(trial, service):
            where = "left in the queue" if left else "in no queue"
            why = why_lost(trial) or ("quiet-end" if ended else reason[1])
            return Broken("f", f"{story}: not in {service}, and {where}", why)
        # An ack can be lost with its connection; a redelivery does no harm.
        if left and not trial.watch.count("after ack"):
            why = "quiet-end" if ended else "never-acked"
            return Broken("f", f"{story}: in {service}, and still in the queue", why)
        return None

    # The failures come first: they are few.
    if broken := crash_points(trial, play, actions=("fail",), failures=WRITES, least=5):
        return broken
    return crash_points(trial, play, actions=("kill", "cut"))


def auto_acks(trial: Trial) -> bool:
    """Return whether a service uses auto_ack."""
    return trial.watch.auto_acks("subscribed")


def waits(trial: Trial, service: str) -> bool:
    """Return whether the event is still in a queue of the service, after its consumers died."""
    done = auto_acks(trial) or trial.watch.count("after ack")
    expected = [] if done else ["e-1"]  # the broker requeues an unacked event a little later
    queues = queues_of(trial, service)
    return any(trial.take_all(queue, expected=expected, timeout_s=1) for queue in queues)


def why_lost(trial: Trial) -> str:
    """Return the belief behind an event that left its queue too early, or "" if none did."""
    if auto_acks(trial):
        return "auto-ack"
    kinds = [event.kind for event in trial.history.events(message="e-1")]
    if any(
        boundary.at in ("after nack", "after reject") and not boundary.details.get("requeue")
        for boundary in list(trial.watch.boundaries)
    ):
        return "drop-is-kept"
    if "ack" not in kinds:
        return ""
    failed = "fail" in kinds and "ack" in kinds[kinds.index("fail") :]
    return "error-is-done" if failed else "ack-before-work"
