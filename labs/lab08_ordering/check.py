"""Lab 8: the events of each document stay in order, with four workers, when a worker dies.

The workers' rows are judged: the versions of a document, and their order. The judge holds a worker
during its work, so that others have time to overtake it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from labs.judge.actor import Actor
from labs.judge.faults import WRITES
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab08_ordering import plays, storage
from labs.lab08_ordering.order import DOCUMENT, VERSIONS, judged, verdict
from labs.lab08_ordering.plays import Director, event, events, order

AT_ONCE = 3  # of four: a hash may leave one without work
RESTARTS = 40  # a second worker may be refused, and restarted, until the first one is gone
POINTS, FEW = 7, 4  # of the sweep: few for a worker that takes its time for each event
QUICK_S = 10.0
QUIET_S = 0.5  # for a worker to cancel its consumer, and for a second one to get an event
TAKEOVER_S = 2.0


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission: without a fault, then with a slow, a hung, and a killed worker."""
    sent = list(storage.published(trial))
    yield from sent
    began = time.monotonic()
    basic = next((finding for finding in sent if finding.requirement == "a"), None)
    if basic is None and (basic := without_fault(trial)):
        yield basic
    if basic and basic.requirement == "a":
        yield from untried("bcdefgh", basic)
        return
    points = POINTS if time.monotonic() - began < QUICK_S else FEW
    number = plays.owner(trial, event(DOCUMENT, 4))
    if slow_lock := storage.locked(trial):
        yield slow_lock
    if unacked := never_acked(trial):
        yield unacked
        yield from untried("bcdefgh", unacked)
        return
    slow = overtaken(trial, "delivery") or overtaken(trial, "before effect")
    if slow:
        yield slow
    if broken := shared(trial):
        yield broken
    if slow and slow.requirement == "b":
        yield from untried("defgh", slow)
        return
    if broken := storage.refused(trial, number):
        yield broken
    if drops := next((finding for finding in sent if finding.requirement == "d"), None):
        yield from untried("efg", drops)
        return
    hung = hung_up(trial, number)  # breaks e, or loses events, which breaks d
    if hung and (hung.requirement == "e" or plays.auto_acks(trial)):
        yield hung
        yield from untried("dfg", hung)
        return
    dead = killed(trial, number, points) if hung is None or hung.requirement == "h" else None
    for finding in (hung, dead, asked(trial, number), late(trial, number)):
        if finding:
            yield finding


def untried(requirements: Iterable[str], broken: Broken) -> Iterator[NotSeen]:
    """Yield requirements that cannot be tried, since what they build on is broken."""
    for key in requirements:
        yield NotSeen(key, f"{broken.requirement} has to hold first")


LAB = Lab(
    number=8,
    title="In order, and four at once",
    question="q08_ordering",
    requirements={
        "a": "each event is sent as the brief says, and worked on once when nothing fails",
        "b": "while one event takes long, no later one of its document is worked on",
        "c": "at least three of the four workers work at the same time, and none locks the store "
        "meanwhile",
        "d": "nothing is lost or out of order when a worker is killed or cut off, or the store "
        "fails, at any point",
        "e": "the order holds when a worker hangs and a second one of its number is started",
        "f": "a worker that is asked to end ends, and the order holds though a second one is there "
        "already",
        "g": "a worker that was cut off in its work does not write after a newer event",
        "h": "what publish() has returned for is safe and in order, also when the broker refuses "
        "an event first",
    },
    roles=("declare(url)", "publish(url, events)", "run_worker(url, store, number)"),
    check=check,
    beliefs={
        "queue-orders-workers": "a queue keeps the order of the work, with any number of workers",
        "order-across-queues": "what was published in order is in order, also in several queues",
        "every-process-agrees": "what a process computes or remembers is the same in the others",
        "handlers-in-parallel": "what is delivered in order is done in order",
        "priority-is-harmless": "priorities leave the events of one document in their order",
        "stale-may-be-skipped": "an event that comes late need not be worked on",
        "standby-shares-work": "a single active consumer shares work with those that stand by",
        "lock-costs-nothing": "a lock that is held during the work holds up nobody else",
        "requeue-keeps-place": "what is given back to its queue is the next to come",
        "dead-is-gone": "when a worker is started again, the one before it holds nothing any more",
        "polite-is-safer": "to cancel or to close the connection first is the safest way to end",
        "may-go-on": "a worker that is asked to end may go on for as long as there is work",
        "cut-off-has-stopped": "a worker that has lost its connection does no more work",
        "batch-of-acks": "to ack several events at once changes nothing but the speed",
        "no-confirms": "a publish that raises no error has arrived",
        "error-passed-over": "after an error about one message it is enough to go on with the next",
        "refused-may-follow": "what the broker refused may be published after what comes later",
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
        trial.watch.settle(partial(all_done, trial, len(sent)), timeout_s=plays.LONG_S)
    trial.watch.calm(0.2, timeout_s=1.0)  # a duplicate may follow
    for item in sent:
        times = order(trial, item["document"]).count(item["version"])
        if times == 1:
            continue
        story = trial.history.story(item["id"])
        if times:
            return Broken("a", f"{story}: worked on {times} times", "not-done")
        if trial.watch.count("delivery") and not (
            trial.watch.count("after ack") or plays.auto_acks(trial)
        ):
            return Broken("a", f"{story}, and no event was ever acked", "never-acked")
        queued = {str(m[1].message_id) for group in plays.stored(trial).values() for m in group}
        lost = None if item["id"] in queued else plays.dropped(trial, item["id"])
        return lost or trial.undone("a", f"{story}: not worked on")
    return None


def never_acked(trial: Trial) -> Broken | None:
    """Return a finding if handled events are requeued when the workers end."""
    if plays.auto_acks(trial):
        return None
    done = {boundary.message for boundary in trial.watch.boundaries if boundary.at == "delivery"}
    trial.watch.settle(lambda: all(trial.watch.acked(message) for message in done), quiet_s=0.3)
    held = sorted(message for message in done if not trial.watch.acked(message))
    if not (requeued := plays.waiting(trial, held).intersection(held)):
        return None
    story = trial.history.story(min(requeued))
    return Broken("a", f"{story}, and {min(requeued)} goes back to its queue", "never-acked")


def all_done(trial: Trial, number: int) -> bool:
    """Return whether ``number`` events were worked on."""
    return trial.rows("SELECT COUNT(*) FROM done") == [(number,)]


def overtaken(trial: Trial, at: str) -> Broken | None:
    """Hold a worker in the first event of a document, and publish the next ones.

    Each publisher is a process of its own, and sends another document's event first.
    """
    plays.prepare(trial)
    plays.team(trial)
    director = Director(trial, at)
    plays.publish(trial, [event(DOCUMENT, 1)])
    director.wait()
    for number, first in enumerate(range(2, VERSIONS.stop, 3), 1):
        others = events([f"other-{other}" for other in range(number)], [number])
        versions = range(first, min(first + 3, VERSIONS.stop))
        plays.publish(trial, others + events([DOCUMENT], versions))
    trial.watch.calm(0.5, timeout_s=1.5)
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
    trial.watch.settle(lambda: len(director.held) >= AT_ONCE)
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
    trial.watch.calm(0.5, timeout_s=1.0)  # long enough for the second one to take over too early
    first.kill()
    director.release()
    return judged(trial, "e", "dead-is-gone")


def asked(trial: Trial, number: int) -> Broken | None:
    """Send SIGTERM to a worker during its work, while a second one stands by.

    The work may be in a thread, so it is held until the first one has ended, or the second one has
    worked on an event. The second one gets one if the first one has cancelled its consumer; from a
    classic queue that may take until somebody subscribes, so the second one is started again.
    """
    director, first = hold_first(trial, number, "before effect")
    second = plays.worker(trial, number, name="second worker", restarts=RESTARTS)

    def ended_or(condition: Callable[[], object]) -> object:
        return trial.watch.settle(
            lambda: not first.running or condition(),
            timeout_s=TAKEOVER_S,
            quiet_s=QUIET_S,
            patience_s=0,
        )

    first.terminate()
    if not ended_or(lambda: trial.watch.count("delivery", actor=second.name)):
        second.kill()  # another one of this name comes, and subscribes
    ended_or(lambda: order(trial, DOCUMENT))
    director.release()
    trial.watch.settle(lambda: not first.running)
    if first.running:
        story = "first worker: SIGTERM in its work, and it still runs when all else is done"
        return Broken("f", story, "may-go-on")
    return judged(trial, "f", "polite-is-safer")


def late(trial: Trial, number: int) -> Broken | None:
    """Cut a worker's connection, let a second one do all, then let the first one go on."""
    director, first = hold_first(trial, number, "before effect", cut=True)
    plays.worker(trial, number, name="second worker", restarts=RESTARTS)
    trial.watch.settle(lambda: VERSIONS[-1] in order(trial, DOCUMENT), timeout_s=plays.LONG_S)
    so_far = len(first.boundaries)
    director.release()
    trial.watch.settle(lambda: len(first.boundaries) > so_far or not first.running)
    broken = judged(trial, "g", "cut-off-has-stopped")
    if broken and broken.misconception == "cut-off-has-stopped" and looks_up(trial, number):
        return replace(broken, misconception="check-then-insert")
    return broken


def looks_up(trial: Trial, number: int) -> bool:
    """Return whether a worker leaves out an old event that comes again after a newer one."""
    plays.prepare(trial)
    first, second = event(DOCUMENT, 1), event(DOCUMENT, 2)
    plays.publish(trial, [first, second])
    plays.worker(trial, number)
    trial.watch.settle(lambda: trial.watch.acked(second["id"]))
    plays.publish(trial, [first])
    trial.watch.settle(lambda: trial.watch.count("after ack", first["id"]) > 1)
    return order(trial, DOCUMENT) == [1, 2]


def hold_first(trial: Trial, number: int, at: str, *, cut: bool = False) -> tuple[Director, Actor]:
    """Start one worker, publish all events of a document, and hold the worker in the first."""
    plays.prepare(trial)
    director = Director(trial, at, cut=cut)
    first = plays.worker(trial, number, name="first worker")
    plays.publish(trial, [event(DOCUMENT, version) for version in VERSIONS])
    return director, director.wait() or first


def killed(trial: Trial, number: int, points: int) -> Broken | None:
    """Kill the worker, cut its connection, or let the store fail, at each point of three events."""
    versions = range(1, 4)
    sent = events([DOCUMENT], versions)

    def play() -> Broken | None:
        plays.prepare(trial)
        plays.publish(trial, sent)
        plays.worker(trial, number, restarts=3)
        trial.watch.settle(lambda: set(versions) <= set(order(trial, DOCUMENT)))
        trial.watch.settle(lambda: all(trial.watch.acked(item["id"]) for item in sent), quiet_s=0.3)
        return verdict(trial, "d", "not-done", versions)

    return crash_points(
        trial, play, actions=("kill", "cut", "fail"), role="run_worker", failures=WRITES,
        least=9, most=points,
    )  # fmt: skip
