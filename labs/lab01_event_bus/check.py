"""Lab 1: two services are added to an event bus without a change to the others.

The judge is the publisher: it sends events to the exchange `events`, persistent, mandatory and
confirmed, whichever services there are. `notify` exists before the others.
"""

import threading
from collections import Counter
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.trial import Trial, go_on
from labs.lab01_event_bus.cases import (
    NOTIFIED,
    consumers,
    error_of,
    events_of,
    loss_of,
    notify_is_bound,
    prepare,
    publish,
    queues_of,
    settle,
    subscribing,
    uncommitted,
    undone,
    wait,
    wrong_row,
)
from labs.lab01_event_bus.deaths import killed

SERVICES = ("search", "audit")
# Old and new kinds, and one with a third word.
DOCUMENTS = ("document.created", "document.shared", "document.archived", "document.page.added")
OTHERS = ("comment.added", "payment.captured", "comment.reply.added", "documents.exported")
BUSY_S = 3.0  # shorter than the longest hold at a boundary


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    useless: dict[str, str] = {}  # service → why it keeps no rows
    yield from alone(trial, useless)
    if "audit" not in useless:
        yield from together(trial, useless)
    for service in SERVICES:
        if why := useless.get(service):
            yield from (NotSeen(key, why) for key in "def")
            continue
        away = absent(trial, service)
        if away:
            yield away
        elif loss := loss_of(trial, service):
            yield Broken("d", loss.sentence, loss.misconception)
        if broken := shared(trial, service):
            yield broken
        if away:
            yield NotSeen("f", f"{service} does not go on where it was when it is started again")
        elif broken := killed(trial, service):
            yield broken


LAB = Lab(
    number=1,
    title="Two more services on the bus",
    question="q01_event_driven",
    requirements={
        "a": "search has every event about a document once, of old and new kinds, and no other",
        "b": "audit has every event once",
        "c": "notify goes on getting its events, and only these",
        "d": "a service gets all that is published while it is down, for a day and across a "
        "restart of the broker, and nothing else",
        "e": "two instances of a service share its work: each event is for one of them",
        "f": "a service works on every event when it is killed or cut off, or its store fails, at "
        "any point",
        "g": "no event is brought to search that search does not need",
    },
    roles=("run_search(url, store)", "run_audit(url, store)"),
    check=check,
    beliefs={
        "one-queue": "services that read the same queue each get every message",
        "star-any-depth": "in a binding, * stands for any number of words",
        "known-kinds": "the kinds of event that exist today are all that there will be",
        "bound-to-all": "a service that is bound to everything gets only what it understands",
        "prefix-is-word": "what begins with the letters of a word begins with the word",
        "filter-in-code": "an event that a service throws away costs nothing",
        "fresh-start": "what is in the queue when a service starts is old and can go",
        "queue-per-instance": "each instance of a service needs a separate queue",
        "two-queues": "a service with two queues gets an event that fits both just once",
        "exclusive-is-shared": "all instances of a service can read its exclusive queue",
        "one-at-a-time": "of a queue's workers, only one may be at work",
        "exchange-is-mine": "a subscriber may declare the exchange anew",
        "drop-is-kept": "a message that the broker gives up on is kept somewhere",
        "quiet-end": "a program that returns when its connection is lost is started again",
    },
)


def alone(trial: Trial, useless: dict[str, str]) -> Iterator[Finding]:
    """Only search is added; an event for no service must be returned to the publisher."""
    prepare(trial)
    kinds = {f"e-{number}": kind for number, kind in enumerate(DOCUMENTS, 1)}
    with subscribing(trial, "search"):
        for event, kind in kinds.items():
            publish(trial, event, kind)
    rows = settle(trial, "search", list(kinds))
    missing = {event: kind for event, kind in kinds.items() if event not in rows}
    if not rows or (missing and uncommitted(trial, "search", *missing)):
        story, why = undone(trial, "search")
        useless["search"] = story
        yield Broken("a", story, why)
        yield NotSeen("g", story)
        if why == "ack-before-work":  # its open transaction keeps audit from writing
            useless["audit"] = story
            yield from (NotSeen(key, story) for key in "bc")
        return
    if missing:
        kind = next(iter(missing.values()))
        story = f"{kind} was published while search was there: not in search"
        yield Broken("a", story, why_missing(list(missing.values())))
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


def together(trial: Trial, useless: dict[str, str]) -> Iterator[Finding]:
    """While events flow, search is added, then audit; notify exists from the start."""
    prepare(trial)
    kinds = {"e-0": "document.shared", "e-1": "document.created"}
    publish(trial, "e-0", kinds["e-0"])
    with subscribing(trial, "search"):
        publish(trial, "e-1", kinds["e-1"])
    if "search" not in useless:
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
    live = [service for service in SERVICES if service not in useless]
    rows = {service: settle(trial, service, wanted[service]) for service in reversed(live)}
    if not meddled(trial) and (not rows["audit"] or uncommitted(trial, "audit")):
        useless["audit"], why = undone(trial, "audit")
        cause = useless["audit"].partition("ended with")[2]
        if cause and cause in useless.get("search", ""):  # one mistake, told once
            yield NotSeen("b", useless["audit"])
        else:
            yield Broken("b", useless["audit"], why)
    wrong = {service: wrong_row(trial, service, kinds) for service in live}
    trial.end()
    taken = trial.take_all("notify", expected=wanted["notify"])
    rows["notify"] = Counter(properties.message_id for _, properties, _ in taken)
    if useless:
        yield NotSeen("c", next(iter(useless.values())))
    for requirement, service in (("c", "notify"), ("a", "search"), ("b", "audit")):
        if service in useless:
            continue
        missing = [event for event in wanted[service] if event not in rows[service]]
        extra = [event for event in rows[service] if event not in wanted[service]]
        if service == "audit":
            extra = []  # an earlier event does no harm in audit
        if missing or extra:
            why = "one-queue" if service == "notify" and notify_is_bound() else meddled(trial)
            kind = [kinds.get(event, "") for event in missing or extra]
            why = why or (why_missing(kind) if missing else why_extra(kind))
            what = f"not in {service}" if missing else f"{service} has it and does not want it"
            story = f"{trial.history.story((missing or extra)[0])}: {what}"
            yield Broken(requirement, story, why)
        elif twice := [event for event in wanted[service] if rows[service][event] > 1]:
            story = f"{trial.history.story(twice[0])}: twice in {service}"
            yield Broken(requirement, story, doubled(trial))
        elif wrong.get(service):
            yield Broken(requirement, wrong[service], "not-done")


def why_extra(kinds: list[str]) -> str:
    """Return the belief behind events that search does not want."""
    return "prefix-is-word" if all(k.startswith("document") for k in kinds) else "bound-to-all"


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
        return Broken("d", *undone(trial, service))
    acked = trial.watch.acked("e-1")  # then a redelivery is no finding
    trial.end()
    before = queues_of(trial, service)
    trial.watch.settle(lambda: not any(consumers(queue) for queue in before), quiet_s=5)
    taken = publish(trial, "e-2", "document.created")
    with subscribing(trial, service):
        pass
    rows = settle(trial, service, ["e-1", "e-2"])
    twice = rows["e-1"] > 1
    why = "two-queues" if doubled(trial) == "two-queues" else "" if acked else "never-acked"
    if twice and why:
        return Broken("d", f"{trial.history.story('e-1')}: worked on again", why)
    if rows["e-1"] and rows["e-2"]:
        return None
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
    gets: set[str] = set()  # the keys of the instances that got an event

    def busy(actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == "delivery":
            gets.add(actor.key)
        if boundary.at == "delivery" and not held:
            held.append(threading.Event())
            return held[0]
        return "go"

    events = [f"e-{number}" for number in range(1, 5)]
    with subscribing(trial, f"{service} 1", f"{service} 2"):
        pass
    if not (queues := queues_of(trial, service)):
        return Broken("e", *undone(trial, service))
    trial.watch.settle(lambda: sum(consumers(queue) for queue in queues) > 1, quiet_s=5)
    trial.direct = busy
    try:
        for event in events:
            publish(trial, event, "document.created")
        helped = trial.watch.settle(lambda: len(gets) > 1, quiet_s=BUSY_S, timeout_s=BUSY_S)
    finally:
        trial.direct = go_on
        for gate in held:
            gate.set()
    rows = settle(trial, service, events)
    if not rows:
        return Broken("e", *undone(trial, service))
    twice = [event for event in events if rows[event] > 1]
    if twice:
        story = f"{trial.history.story(twice[0])}: two rows for one event"
        return Broken("e", story, doubled(trial))
    if not helped:
        return idle(trial, service)
    if any(event not in rows for event in events):
        return Broken("e", trial.trouble() or "some events are never worked on", "not-done")
    return None


def idle(trial: Trial, service: str) -> Broken:
    """Return the finding that only one of two instances gets events."""
    if error := error_of(trial, service):
        return Broken("e", error, "exclusive-is-shared" if "RESOURCE_LOCKED" in error else "raised")
    story = "one instance is busy with the first of four events: the other gets none"
    return Broken("e", story, "one-at-a-time")
