"""Deaths, lost connections and a store that fails, at each point of a payment and a status."""

from dataclasses import dataclass

from labs.judge.faults import WRITES
from labs.judge.findings import Broken
from labs.judge.sweep import MOST_POINTS, crash_points
from labs.judge.trial import Trial
from labs.lab05_payments.cases import QUEUE, counts, pay, prepare, set_status, status, twice

NEWEST = ("closed", 3)
SWEEP_S = 40.0  # for the deaths of a slow worker; a quick one has all of its points tried
FEWEST = 8
FAULTS = ("crash", "cut", "fail")


@dataclass(frozen=True)
class Work:
    """A message of the play: what it is called in stories, and whether it has its effect."""

    message: str
    name: str
    done: bool


def recovers(trial: Trial, *, pace_s: float, statuses: bool) -> Broken | None:
    """Kill the worker, cut its connection, or let its store fail, at each point.

    Args:
        trial: the trial.
        pace_s: how long a worker needs from its start to its first ack, in seconds.
        statuses: whether to send a status, too; not where statuses do not work anyway.
    """
    ids = ["m-0", "m-1"] if statuses else ["m-0"]

    def works() -> list[Work]:
        listed = [Work("m-0", "charged", counts(trial, 1) != [0])]
        if statuses:
            listed.append(Work("m-1", "set", status(trial) == NEWEST))
        return listed

    def acked(message: str) -> bool:
        return trial.watch.count("after ack", message) > 0

    def play() -> Broken | None:
        prepare(trial)
        pay(trial, 0, message_id="m-0")
        if statuses:
            set_status(trial, NEWEST[1], str(NEWEST[0]), message_id="m-1")
        trial.start("run_worker", trial.url, trial.store, name="worker", restarts=3)

        def over() -> bool:
            return all(work.done for work in works()) and all(map(acked, ids))

        if not trial.watch.settle(over) and trial.history.events("fail"):
            trial.end()  # it stands still: it is ended, and started again
            trial.watch.patient = True
            trial.start("run_worker", trial.url, trial.store, name="worker", restarts=3)
            trial.watch.settle(over)
        trouble, ended = trial.trouble(), any(actor.returned for actor in trial.actors)
        trial.end()
        expected = [work.message for work in works() if not work.done]
        left = {message[1].message_id for message in trial.take_all(QUEUE, expected=expected)}
        if counts(trial, 1)[0] > 1:
            return Broken("e", twice(trial, "m-0"), why_twice(trial, "m-0"))
        for work in works():
            if not work.done and work.message not in left:
                story = f"{trial.history.story(work.message)}: never {work.name}, and in no queue"
                return Broken("e", story, why_lost(trial, work.message))
        # An ack can be lost with its connection; then the message is redelivered, and is known.
        if left := {message for message in left if not acked(message)}:
            story = f"{min(left)} stays in the queue: {trouble or trial.history.story(min(left))}"
            return Broken("e", story, why_left(trial, min(left), trouble, ended=ended))
        return None

    # The failures come first: they are few.
    if broken := crash_points(trial, play, actions=("fail",), failures=WRITES, least=6):
        return broken
    most = max(FEWEST, min(MOST_POINTS, int(SWEEP_S / pace_s)))
    return crash_points(trial, play, actions=("kill", "cut"), most=most)


def why_twice(trial: Trial, message: str) -> str:
    """Return the belief behind a payment that counts twice after a fault."""
    kinds = [event.kind for event in trial.history.events(*FAULTS, "effect", message=message)]
    return "error-rolls-back" if kinds[:1] == ["fail"] else "dedup-apart"


def why_lost(trial: Trial, message: str) -> str:
    """Return the belief behind a loss: settled too early, or remembered too early."""
    if trial.watch.auto_acks("subscribed") or trial.watch.auto_acks("delivery"):
        return "auto-ack"
    kinds = [event.kind for event in trial.history.events(message=message)]
    if "effect" in kinds:
        return "dedup-apart"
    if dropped(trial, message):
        return "drop-is-kept"
    again, failed = kinds.count("deliver") > 1, "fail" in kinds
    if again and not tried_again(trial, message):
        return "redelivered-means-done"
    if failed and again:
        return "error-rolls-back"
    acked_first = not failed or "ack" not in kinds[kinds.index("fail") :]
    return "ack-before-work" if acked_first else "error-is-done"


def dropped(trial: Trial, message: str) -> bool:
    """Return whether a message was nacked or rejected without requeue."""
    return any(
        boundary.at in ("after nack", "after reject")
        and message in boundary.messages
        and not boundary.details.get("requeue")
        for boundary in list(trial.watch.boundaries)
    )


def tried_again(trial: Trial, message: str) -> bool:
    """Return whether there was a write for a message after its last delivery."""
    for boundary in reversed(list(trial.watch.boundaries)):
        if message in boundary.messages:
            if boundary.at == "before effect":
                return True
            if boundary.at == "delivery":
                return False
    return False


def why_left(trial: Trial, message: str, trouble: str, *, ended: bool) -> str:
    """Return the belief behind a message that stays in the queue."""
    if ended:
        return "quiet-end"
    if trouble:
        return "raised"
    if not trial.watch.count("delivery"):
        return "not-done"
    return "never-acked" if not trial.watch.count("after ack", message) else "not-done"
