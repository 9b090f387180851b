"""Lab 8: the events of each document stay in order, with four workers, when a worker dies.

The workers' rows are judged: the versions of a document, and their order. The judge holds a worker
during its work, so that others have time to overtake it.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from labs.judge.actor import Actor
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab08_ordering import plays
from labs.lab08_ordering.plays import PATIENCE_S, Director, event, events, order

DOCUMENT = "document-0"
VERSIONS = range(1, 11)  # more than a worker usually holds
AT_ONCE = 3  # of four: a hash may leave one without work
RESTARTS = 40  # a second worker may be refused, and restarted, until the first one is gone


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission: without a fault, then with a slow, a hung, and a killed worker."""
    if broken := without_fault(trial):
        yield from (replace(broken, requirement=key) for key in LAB.requirements)
        return
    number = number_of(trial)
    if broken := never_acked(trial):
        yield from (replace(broken, requirement=key) for key in LAB.requirements)
        return
    slow = overtaken(trial, "delivery") or overtaken(trial, "before effect")
    if slow:
        yield slow
    if broken := shared(trial):
        yield broken
    hung = slow or hung_up(trial, number)
    if hung:  # what fails without a death can fail in each of these
        seen = f"as in {hung.requirement}: {hung.story.partition(';')[0]}"
        yield hung
        yield from (Broken(key, seen, hung.misconception) for key in "defg")
        return
    for broken in (killed(trial, number), asked(trial, number), late(trial, number)):
        if broken:
            yield broken


LAB = Lab(
    number=8,
    title="In order, and four at once",
    question="q08_ordering",
    requirements={
        "a": "each event is worked on once when nothing fails",
        "b": "while one event takes long, no later one of its document is worked on",
        "c": "at least three of the four workers work at the same time",
        "d": "nothing is lost or out of order when a worker is killed or cut off at any point",
        "e": "the order holds when a worker hangs and a second one of its number is started",
        "f": "the order holds when a worker is asked to end and a second one is there already",
        "g": "a worker that was cut off in its work does not write after a newer event",
    },
    roles=("declare(url)", "publish(url, events)", "run_worker(url, store, number)"),
    check=check,
    beliefs={
        "queue-orders-workers": "a queue keeps the order of the work, with any number of workers",
        "order-across-queues": "what was published in order is in order, also in several queues",
        "handlers-in-parallel": "what is delivered in order is done in order",
        "priority-is-harmless": "priorities leave the events of one document in their order",
        "stale-may-be-skipped": "an event that comes late need not be worked on",
        "standby-shares-work": "a single active consumer shares work with those that stand by",
        "dead-is-gone": "when a worker is started again, the one before it holds nothing any more",
        "polite-is-safer": "to stop consuming first is the safest way to end",
        "cut-off-has-stopped": "a worker that has lost its connection does no more work",
        "batch-of-acks": "to ack several events at once changes nothing but the speed",
    },
)


def without_fault(trial: Trial) -> Broken | None:
    """Publish three events for each of twelve documents; nothing fails."""
    plays.prepare(trial)
    plays.team(trial)
    documents = [f"document-{number}" for number in range(12)]
    sent: list[plays.Event] = []
    for version in range(1, 4):  # one after the other, so that none can overtake
        plays.publish(trial, events(documents, [version]))
        sent += events(documents, [version])
        trial.watch.settle(partial(all_done, trial, len(sent)), quiet_s=PATIENCE_S)
    trial.watch.calm(0.2, timeout_s=1.0)  # a duplicate may follow
    for item in sent:
        times = order(trial, item["document"]).count(item["version"])
        if times == 1:
            continue
        story = trial.history.story(item["id"])
        if times:
            return Broken("a", f"{story}: worked on {times} times", "not-done")
        if trial.watch.count("delivery") and not (
            trial.watch.count("after ack") or auto_acks(trial)
        ):
            return Broken("a", f"{story}, and no event was ever acked", "never-acked")
        return Broken("a", f"{trial.trouble() or story}: not worked on", "not-done")
    return None


def never_acked(trial: Trial) -> Broken | None:
    """Return a finding if handled events are requeued when the workers end."""
    done = {boundary.message for boundary in trial.watch.boundaries if boundary.at == "delivery"}
    trial.watch.settle(lambda: all(acked(trial, message) for message in done), quiet_s=0.3)
    held = sorted(message for message in done if not acked(trial, message))
    if auto_acks(trial) or not (requeued := plays.waiting(trial, held).intersection(held)):
        return None
    story = trial.history.story(min(requeued))
    return Broken("a", f"{story}, and {min(requeued)} goes back to its queue", "never-acked")


def all_done(trial: Trial, number: int) -> bool:
    """Return whether ``number`` events were worked on."""
    return trial.rows("SELECT COUNT(*) FROM done") == [(number,)]


def number_of(trial: Trial) -> int:
    """Return the number of the worker that gets the events of the document."""
    first = event(DOCUMENT, 1)["id"]
    for actor in trial.actors:
        if any(
            boundary.at == "delivery" and boundary.message == first for boundary in actor.boundaries
        ):
            return int(actor.arguments[2])
    return 0


def overtaken(trial: Trial, at: str) -> Broken | None:
    """Hold a worker in the first event of a document, and publish the next ones."""
    plays.prepare(trial)
    plays.team(trial)
    director = Director(trial, at)
    plays.publish(trial, [event(DOCUMENT, 1)])
    director.wait()
    plays.publish(trial, [event(DOCUMENT, version) for version in VERSIONS[1:]])
    trial.watch.settle(lambda: order(trial, DOCUMENT), timeout_s=1.5, quiet_s=0.5)
    director.release()
    return judged(trial, "b", "not-done")


def shared(trial: Trial) -> Broken | None:
    """Hold each worker in its first event, and count those that are held at once."""
    plays.prepare(trial)
    plays.team(trial)
    director = Director(trial, "delivery")
    director.each = True
    documents = [f"document-{number}" for number in range(40)]
    plays.publish(trial, events(documents, [1]))
    trial.watch.settle(lambda: len(director.held) >= AT_ONCE, quiet_s=1.5)
    busy = sorted(actor.name for actor in director.held.values())
    director.release()
    if len(busy) >= AT_ONCE:
        return None
    working = f"only {' and '.join(busy)}" if busy else "no worker"
    story = f"40 documents wait, and {working} works"
    return Broken("c", story, "standby-shares-work")


def hung_up(trial: Trial, number: int) -> Broken | None:
    """Let a worker hang, start a second one with its number, and kill the first one."""
    director, first = hold_first(trial, number, "before effect")
    plays.worker(trial, number, name="second worker", restarts=RESTARTS)
    trial.watch.settle(lambda: order(trial, DOCUMENT), timeout_s=1.0, quiet_s=0.5)
    first.kill()
    director.release()
    return judged(trial, "e", "dead-is-gone")


def asked(trial: Trial, number: int) -> Broken | None:
    """Send SIGTERM to a worker during its work, while a second one stands by."""
    director, first = hold_first(trial, number, "before effect")
    plays.worker(trial, number, name="second worker", restarts=RESTARTS)
    first.terminate()
    director.release()
    trial.watch.settle(lambda: not first.running, quiet_s=1.0)
    return judged(trial, "f", "polite-is-safer")


def late(trial: Trial, number: int) -> Broken | None:
    """Cut a worker's connection, let a second one take over, then let the first one go on."""
    director, first = hold_first(trial, number, "before effect", cut=True)
    plays.worker(trial, number, name="second worker", restarts=RESTARTS)
    trial.watch.settle(lambda: max(order(trial, DOCUMENT), default=1) > 1, timeout_s=3, quiet_s=1.5)
    director.release()
    trial.watch.settle(lambda: not first.running, quiet_s=1.0)
    return judged(trial, "g", "cut-off-has-stopped")


def hold_first(trial: Trial, number: int, at: str, *, cut: bool = False) -> tuple[Director, Actor]:
    """Start one worker, publish all events of a document, and hold the worker in the first."""
    plays.prepare(trial)
    director = Director(trial, at, cut=cut)
    first = plays.worker(trial, number, name="first worker")
    plays.publish(trial, [event(DOCUMENT, version) for version in VERSIONS])
    return director, director.wait() or first


def killed(trial: Trial, number: int) -> Broken | None:
    """Kill the worker, or cut its connection, at each point of three events."""
    versions = range(1, 4)
    sent = events([DOCUMENT], versions)

    def play() -> Broken | None:
        plays.prepare(trial)
        plays.publish(trial, sent)
        plays.worker(trial, number, restarts=3)
        trial.watch.settle(lambda: set(versions) <= set(order(trial, DOCUMENT)), quiet_s=PATIENCE_S)
        trial.watch.settle(lambda: all(acked(trial, item["id"]) for item in sent), quiet_s=0.3)
        return verdict(trial, "d", "batch-of-acks", versions)

    return crash_points(trial, play, actions=("kill", "cut"), role="run_worker", least=9, most=10)


def judged(trial: Trial, requirement: str, why: str) -> Broken | None:
    """Wait for the effects of all events, and judge; see `verdict`."""
    trial.watch.settle(lambda: set(VERSIONS) <= set(order(trial, DOCUMENT)), quiet_s=PATIENCE_S)
    trial.watch.calm(0.2, timeout_s=1.0)  # a late one may follow
    return verdict(trial, requirement, why, VERSIONS)


def verdict(trial: Trial, requirement: str, why: str, versions: range) -> Broken | None:
    """End all actors; return a finding for a missing event, or for an older one after a newer one.

    Args:
        trial: the trial.
        requirement: the requirement of the finding.
        why: the belief behind a wrong order.
        versions: the published versions.
    """
    trouble = trial.trouble()
    trial.end()
    done = order(trial, DOCUMENT)
    order_text = f"versions 1 to {versions[-1]} of {DOCUMENT} were worked on in this order:"
    order_text = f"{order_text} {' '.join(map(str, done)) or 'none at all'}"
    if pair := plays.backward(done):
        newer, older = (event(DOCUMENT, version)["id"] for version in pair)
        story = f"{newer} before {older}; {trial.history.story(older)}"
        reason = why_disorder(trial, newer, older) if requirement == "b" else why  # b: all live
        return Broken(requirement, f"{order_text}: {story}", reason or why)
    missing = [event(DOCUMENT, version)["id"] for version in versions if version not in done]
    if not missing:
        return None
    queued = missing[0] in plays.waiting(trial, missing)
    story = trial.history.story(missing[0])
    if queued:
        story = f"{trouble or story}; {missing[0]} stays in a queue"
        return Broken(requirement, f"{order_text}; {story}", "not-done")
    reason = "stale-may-be-skipped" if requirement == "b" else "ack-before-work"
    if auto_acks(trial):
        reason = "auto-ack"
    return Broken(requirement, f"{order_text}; {story}, and no row", reason)


def acked(trial: Trial, message: str) -> bool:
    """Return whether an event was acked, alone or together with others."""
    return bool(trial.history.events("ack", message=message))


def auto_acks(trial: Trial) -> bool:
    """Return whether a worker uses auto_ack."""
    return trial.watch.auto_acks("delivery")


def why_disorder(trial: Trial, newer: str, older: str) -> str:
    """Return the belief behind a wrong order, by the places of both deliveries, or ""."""
    at = {
        boundary.message: (number, boundary.actor, boundary.details["queue"])
        for number, boundary in reversed(list(enumerate(trial.watch.boundaries)))
        if boundary.at == "delivery"
    }  # the first delivery of each
    if newer not in at or older not in at:
        return ""
    if at[newer][1] == at[older][1]:
        return "handlers-in-parallel" if at[older][0] < at[newer][0] else "priority-is-harmless"
    return "queue-orders-workers" if at[newer][2] == at[older][2] else "order-across-queues"
