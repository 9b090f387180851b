"""Lab 1: two services are added to an event bus without a change to the others.

The judge is the publisher: it sends events to the exchange `events`, persistent, mandatory and
confirmed, whichever services there are. `notify` exists before the others.
"""

import threading
from collections import Counter
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on
from labs.lab01_event_bus.cases import (
    NOTIFIED,
    consumers,
    events_of,
    notify_is_bound,
    prepare,
    publish,
    queues_of,
    settle,
    subscribing,
    undone,
    wait,
)

SERVICES = ("search", "audit")
# Old and new kinds, and one with a third word.
DOCUMENTS = ("document.created", "document.shared", "document.archived", "document.page.added")
OTHERS = ("comment.added", "payment.captured", "comment.reply.added")
BUSY_S = 3.0  # shorter than the longest hold at a boundary


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    for part in (alone, together):
        yield from part(trial)
    away = None
    for service in SERVICES:
        if broken := absent(trial, service):
            away = away or broken
            yield broken
    for service in SERVICES:
        if broken := shared(trial, service):
            yield broken
    for service in SERVICES:
        if broken := killed(trial, service, away.misconception if away else ""):
            yield broken


LAB = Lab(
    number=1,
    title="Two more services on the bus",
    question="q01_event_driven",
    requirements={
        "a": "search has every event about a document once, of old and new kinds, and no other",
        "b": "audit has every event once",
        "c": "notify goes on getting its events, and only these",
        "d": "a service that was down gets what was published meanwhile, and nothing else",
        "e": "two instances of a service share its work: each event is for one of them",
        "f": "a service that is killed or cut off at any point works on every event",
        "g": "no event is brought to search that search does not need",
    },
    roles=("run_search(url, store)", "run_audit(url, store)"),
    check=check,
    beliefs={
        "one-queue": "services that read the same queue each get every message",
        "star-any-depth": "in a binding, * stands for any number of words",
        "known-kinds": "the kinds of event that exist today are all that there will be",
        "bound-to-all": "a service that is bound to everything gets only what it understands",
        "filter-in-code": "an event that a service throws away costs nothing",
        "fresh-start": "what is in the queue when a service starts is old and can go",
        "queue-per-instance": "each instance of a service needs a separate queue",
        "two-queues": "a service with two queues gets an event that fits both just once",
        "one-at-a-time": "of a queue's workers, only one may be at work",
        "exchange-is-mine": "a subscriber may declare the exchange anew",
        "quiet-end": "a program that returns when its connection is lost is started again",
    },
)


def alone(trial: Trial) -> Iterator[Broken]:
    """Only search is added; an event for no service must be returned to the publisher."""
    prepare(trial)
    kinds = {f"e-{number}": kind for number, kind in enumerate(DOCUMENTS, 1)}
    with subscribing(trial, "search"):
        for event, kind in kinds.items():
            publish(trial, event, kind)
    rows = settle(trial, "search", list(kinds))
    if not rows:
        story = undone(trial, "search")
        yield Broken("a", story, "not-done")
        yield Broken("g", story, "not-done")
        return
    missing = [kind for event, kind in kinds.items() if event not in rows]
    if missing:
        story = f"{missing[0]} was published while search was there: not in search"
        yield Broken("a", story, why_missing(missing))
    elif twice := [event for event in kinds if rows[event] > 1]:
        yield Broken("a", f"{trial.history.story(twice[0])}: two rows", doubled(trial))
    if not publish(trial, "e-9", "payment.captured"):  # returned: no queue is bound to it
        return
    copies = settle(trial, "search", [*kinds, "e-9"])["e-9"]
    why = "bound-to-all" if copies else "filter-in-code"
    if copies:
        yield Broken("a", "payment.captured was published: search has a row for it", why)
    yield Broken("g", "payment.captured was published: a copy went into search's queue", why)


def why_missing(kinds: list[str]) -> str:
    """Return the belief behind events that no binding matched."""
    return "star-any-depth" if all(kind.count(".") > 1 for kind in kinds) else "known-kinds"


def together(trial: Trial) -> Iterator[Broken]:
    """While events flow, search is added, then audit; notify exists from the start."""
    prepare(trial)
    kinds = {"e-0": "document.shared", "e-1": "document.created"}
    publish(trial, "e-0", kinds["e-0"])
    with subscribing(trial, "search"):
        publish(trial, "e-1", kinds["e-1"])
    settle(trial, "search", ["e-1"])
    more = (*DOCUMENTS, *OTHERS) * (3 if trial.hidden else 1)
    later = {f"e-{number}": kind for number, kind in enumerate(more, 2)}
    with subscribing(trial, "audit"):
        for event, kind in later.items():
            publish(trial, event, kind)
    kinds |= later
    wanted = {
        "search": [event for event in kinds if event != "e-0" and kinds[event] in DOCUMENTS],
        "audit": list(later),
        "notify": [event for event in kinds if kinds[event] in NOTIFIED],
    }
    rows = {service: settle(trial, service, wanted[service]) for service in SERVICES}
    story = {service: undone(trial, service) for service in SERVICES}
    trial.end()
    taken = trial.take_all("notify", expected=wanted["notify"])
    rows["notify"] = Counter(properties.message_id for _, properties, _ in taken)
    if not (rows["search"] and rows["audit"]):
        yield Broken("c", story["audit" if rows["search"] else "search"], "not-done")
    for requirement, service in (("c", "notify"), ("a", "search"), ("b", "audit")):
        missing = [event for event in wanted[service] if event not in rows[service]]
        extra = [event for event in rows[service] if event not in wanted[service]]
        if service == "audit":
            extra = []  # an earlier event does no harm in audit
        if not (missing or extra):
            if twice := [event for event in wanted[service] if rows[service][event] > 1]:
                told_twice = f"{trial.history.story(twice[0])}: twice in {service}"
                yield Broken(requirement, told_twice, doubled(trial))
            continue
        why = "one-queue" if service == "notify" and notify_is_bound() else meddled(trial)
        if not (rows[service] or why):
            yield Broken(requirement, story[service], "not-done")
            continue
        why = why or ("bound-to-all" if extra else why_missing([kinds[event] for event in missing]))
        event = (missing or extra)[0]
        what = f"not in {service}" if missing else f"{service} has it and does not want it"
        yield Broken(requirement, f"{trial.history.story(event)}: {what}", why)


def meddled(trial: Trial) -> str:
    """Return the belief because of which one service disturbs another, or "" for none."""
    if not notify_is_bound():
        return "exchange-is-mine"
    return "one-queue" if queues_of(trial, "search") & queues_of(trial, "audit") else ""


def doubled(trial: Trial) -> str:
    """Return the belief behind two rows for one event."""
    queues: dict[str, set[str]] = {}
    for boundary in list(trial.watch.boundaries):
        if boundary.at == "subscribed":
            queues.setdefault(boundary.actor, set()).add(str(boundary.details["queue"]))
    several = any(len(names) > 1 for names in queues.values())
    return "two-queues" if several else "queue-per-instance"


def absent(trial: Trial, service: str) -> Broken | None:
    """A service handles one event and dies; another event is published; the service restarts."""
    prepare(trial)
    with subscribing(trial, service):
        publish(trial, "e-1", "document.created")
    wait(trial, lambda: events_of(trial, service) and trial.watch.count("after ack"))
    if not events_of(trial, service):
        return Broken("d", undone(trial, service), "not-done")
    trial.end()
    before = queues_of(trial, service)
    trial.watch.settle(lambda: not any(consumers(queue) for queue in before), quiet_s=5)
    taken = publish(trial, "e-2", "document.created")
    with subscribing(trial, service):
        pass
    rows = settle(trial, service, ["e-1", "e-2"])
    if rows["e-1"] == 1 and rows["e-2"]:
        return None
    if rows["e-1"] > 1:
        why = "two-queues" if doubled(trial) == "two-queues" else "never-acked"
        return Broken("d", f"{trial.history.story('e-1')}: worked on again", why)
    story = f"{service} dies → e-2 is published"
    if not taken:
        return Broken("d", f"{story} → no queue takes it: never in {service}", "queue-stays")
    trial.end()
    if any(trial.take_all(queue, expected=["e-2"], timeout_s=1) for queue in before):
        story += f" → {service} is back and reads another queue: e-2 waits for ever"
        return Broken("d", story, "queue-per-instance")
    return Broken("d", f"{story} → {service} is back: e-2 is gone", "fresh-start")


def shared(trial: Trial, service: str) -> Broken | None:
    """Two instances of a service; the first with an event is busy for a while."""
    prepare(trial)
    held: list[threading.Event] = []

    def busy(actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == "delivery" and not held:
            held.append(threading.Event())
            return held[0]
        return "go"

    events = [f"e-{number}" for number in range(1, 5)]
    with subscribing(trial, f"{service} 1", f"{service} 2"):
        pass
    if not (queues := queues_of(trial, service)):
        return Broken("e", undone(trial, service), "not-done")
    trial.watch.settle(lambda: sum(consumers(queue) for queue in queues) > 1, quiet_s=5)
    trial.direct = busy
    try:
        for event in events:
            publish(trial, event, "document.created")
        helped = trial.watch.settle(
            lambda: events_of(trial, service), quiet_s=BUSY_S, timeout_s=BUSY_S
        )
    finally:
        trial.direct = go_on
        for gate in held:
            gate.set()
    rows = settle(trial, service, events)
    if not rows:
        return Broken("e", undone(trial, service), "not-done")
    twice = [event for event in events if rows[event] > 1]
    if twice:
        story = f"{trial.history.story(twice[0])}: two rows for one event"
        return Broken("e", story, doubled(trial))
    if not helped:
        story = f"{len(events)} events are published, one instance is busy with the first"
        return Broken("e", f"{story}: the other gets none", "one-at-a-time")
    if any(event not in rows for event in events):
        return Broken("e", trial.trouble() or "some events are never worked on", "not-done")
    return None


def killed(trial: Trial, service: str, away: str) -> Broken | None:
    """A service is killed, or its connection cut, at each point of its work on an event."""

    def play() -> Broken | None:
        prepare(trial)
        with subscribing(trial, service):
            publish(trial, "e-1", "document.created")
        wait(trial, lambda: trial.watch.count("after ack") and events_of(trial, service))
        ended, reason = any(actor.returned for actor in trial.actors), undone(trial, service)
        trial.end()
        story = trial.history.story("e-1")
        if not trial.watch.count("delivery"):
            return Broken("f", reason, "not-done")
        left = waits(trial, service)
        if not events_of(trial, service):
            where = "left in the queue" if left else "in no queue"
            why = why_lost(trial) or ("quiet-end" if ended else away)
            return Broken("f", f"{story}: not in {service}, and {where}", why or "not-done")
        # An ack can be lost with its connection; a redelivery does no harm.
        if left and not trial.watch.count("after ack"):
            why = "quiet-end" if ended else "never-acked"
            return Broken("f", f"{story}: in {service}, and still in the queue", why)
        return None

    return crash_points(trial, play, actions=("kill", "cut"), least=5)


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
    """Return the belief behind an event that was acked too early, or "" for no early ack."""
    if auto_acks(trial):
        return "auto-ack"
    return "ack-before-work" if trial.watch.count("after ack") else ""
