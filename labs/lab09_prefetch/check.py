"""Lab 9: the right prefetch for fast and slow workers, next door and far away.

A worker is held in its first event. It holds the events that have left its queue, and its death
requeues its blast radius. Both are counts, which load does not change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from helpers import chaos
from helpers.chaos import Proxy
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from labs.lab09_prefetch import cases, fleets
from labs.lab09_prefetch.cases import FAR_FAST, FAR_SLOW, NEAR_FAST, NEAR_SLOW, Window
from labs.lab09_prefetch.fleets import Fleet

LEAST_SHARE = 0.75  # of the time at work
LEAST_PACE = 0.5  # measured, so with room for other load
HOSTS = (NEAR_FAST, NEAR_SLOW, FAR_FAST, FAR_SLOW)


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission; its windows come first, since they explain the rest."""
    with chaos.proxy(round_trip_ms=cases.FAR_MS) as proxy:
        measured = cases.windows(trial, HOSTS, proxy)
        if all(window.trouble for window in measured):
            story = f"no thumbnail was made: {measured[0].trouble}"
            yield from (Broken(key, story, "not-done") for key in LAB.requirements)
            return
        yield from judge_windows(measured)
        yield from judge_fleets(trial, proxy, measured)
        if broken := killed(trial, proxy, measured):
            yield broken


LAB = Lab(
    number=9,
    title="A window for each worker",
    question="q09_prefetch",
    requirements={
        "a": "an event leaves its queue when its thumbnail is made, and not before, "
        "whenever the worker is killed",
        "b": "far away, a worker is at work for three quarters of the time or more",
        "c": "next door, a worker holds at most twice the events that keep it busy",
        "d": "far away, a worker's death affects at most twice the events that keep it busy",
        "e": "next door, a fleet finishes near its best, and is not held up by its slow worker",
        "f": "far away, a fleet finishes near its best, and is not held up by its slow worker",
    },
    roles=("run_worker(url, store, queue, service_time_s, round_trip_s)",),
    check=check,
    beliefs={
        "small-is-safe": "the fewer events a worker holds, the better",
        "one-number": "there is one good number for all workers",
        "only-distance": "how far away a worker is decides alone how much it should hold",
        "slow-needs-more": "the longer the work takes, the more events should wait for it",
        "work-needs-no-slot": "the event that is being worked on takes no room in the window",
        "more-is-faster": "a worker that holds more is faster",
        "no-limit": "without a limit the broker gives a worker what it can cope with",
        "zero-is-small": "a prefetch of 0 is the smallest one",
        "qos-after-consume": "a limit holds for consumers that are there already",
        "qos-elsewhere": "a limit on one channel holds for the others too",
        "limit-is-shared": "the consumers on one channel share its limit",
        "polling": "asking for one event after the other is as good as being sent them",
        "calls-cost-nothing": "a call to the broker between two events takes no time",
        "ack-in-batches": "acks may wait until there are enough of them",
        "one-at-a-time": "of a queue's workers, only one may be at work",
    },
)


def judge_windows(measured: Sequence[Window]) -> Iterator[Broken]:
    """Judge the windows: not too small far away, nowhere too large."""
    for window in measured:
        if window.trouble:
            story = f"{window.host.name} made no thumbnail: {window.trouble}"
            yield from (
                Broken(key, story, "not-done") for key in ("bd" if window.host.far else "c")
            )
    usable = [window for window in measured if not window.trouble]
    for window in sorted(usable, key=lambda window: window.share):
        if window.host.far and window.share < LEAST_SHARE:
            yield Broken("b", starve(window), why_too_few(window, usable))
    for window in sorted(usable, key=lambda window: -window.waits_s):
        if window.radius > window.host.most:
            yield Broken(
                "d" if window.host.far else "c", hoard(window), why_too_many(window, usable)
            )
    if far := dawdler(usable):
        near, made = cases.pace(usable)
        story = f"while {NEAR_FAST.name} made {near} thumbnails, {FAR_FAST.name} made {made}"
        yield Broken("b", f"{story}, with {far.held} events at hand", "calls-cost-nothing")


def dawdler(measured: Sequence[Window]) -> Window | None:
    """Return the fast worker far away if it is slow although its window is large enough."""
    near, made = cases.pace(measured)
    far = next((window for window in measured if window.host == FAR_FAST), None)
    return far if far and far.share >= LEAST_SHARE and made < LEAST_PACE * near else None


def starve(window: Window) -> str:
    """Return the story of a window that is too small."""
    ms, way_ms = window.host.service_time_s * 1000, window.host.round_trip_s * 1000
    return (
        f"{window.host.name} needs {ms:g} ms for an event, its round trip takes {way_ms:g} ms: "
        f"with {window.held} at hand it is at work for {window.share:.0%} of the time"
    )


def hoard(window: Window) -> str:
    """Return the story of a window that is too large."""
    return (
        f"{window.host.name} works on its first event, and {window.held} of {window.host.events} "
        f"have left the queue: {window.waits_s:.1f} s of work that no other worker can do; it was "
        f"killed a little later, and {window.returned} came back"
    )


def why_too_few(window: Window, measured: Sequence[Window]) -> str:
    """Return the belief behind a window that is too small."""
    if not window.details("subscribed"):
        return "polling"
    limits = {other.limit for other in measured}
    if len(limits) == 1:
        return "small-is-safe" if limits == {1} else "one-number"
    if slow_holds_more(measured):
        return "slow-needs-more"
    same = [other for other in measured if other.host.round_trip_s == window.host.round_trip_s]
    enough = [other for other in same if other.share >= LEAST_SHARE]
    return "work-needs-no-slot" if enough and window.limit == 1 else "small-is-safe"


def why_too_many(window: Window, measured: Sequence[Window]) -> str:
    """Return the belief behind a window that is too large or unlimited."""
    if not window.limit or window.details("delivery").get("auto_ack"):
        return why_no_limit(window)
    if window.number("subscribed") > 1:
        return "limit-is-shared"
    if any(other.number("before ack") > other.number("after effect") for other in measured):
        return "ack-before-work"
    if len({other.limit for other in measured}) == 1:
        return "one-number"
    if len({(other.host.far, other.limit) for other in measured}) == len(
        {o.host.far for o in measured}
    ):
        return "only-distance"
    return "slow-needs-more" if slow_holds_more(measured) else "more-is-faster"


def why_no_limit(window: Window) -> str:
    """Return the belief behind an unlimited window."""
    delivery = window.details("delivery")
    if delivery.get("auto_ack"):
        return "auto-ack"
    if window.limit is not None:
        return "zero-is-small"
    if delivery.get("limit") is not None:
        return "qos-after-consume"
    return "qos-elsewhere" if delivery.get("limits") else "no-limit"


def slow_holds_more(measured: Sequence[Window]) -> bool:
    """Return whether slower workers have larger windows, at the same distance."""
    return any(
        window.held > other.held
        for window in measured
        for other in measured
        if window.host.round_trip_s == other.host.round_trip_s
        and window.host.service_time_s > other.host.service_time_s
    )


def judge_fleets(trial: Trial, proxy: Proxy, measured: Sequence[Window]) -> Iterator[Broken]:
    """Judge how fleets share their work.

    The windows are known by now: a slow worker with a too large one, or a fast worker with a too
    small one, breaks its fleet's requirement even if this one run was lucky.
    """
    held = {window.host: window for window in measured}
    usable = [window for window in measured if not window.trouble]
    for key, fleet in zip("ef", fleets.race(trial, proxy), strict=True):
        slow, fast = held[fleet.slow], held[fleet.fast]
        if slow.trouble or fast.trouble:
            why = "not-done"
        elif slow.radius > fleet.slow.most:
            why = why_too_many(slow, usable)
        elif fast.share < LEAST_SHARE:
            why = why_too_few(fast, usable)
        elif fast is dawdler(usable):
            why = "calls-cost-nothing"
        else:
            why = ""
        if why or fleet.ended or fleet.hoarded or fleet.late or fleet.done < fleet.events:
            yield Broken(key, describe(fleet), why or why_late(trial, fleet, usable))


def describe(fleet: Fleet) -> str:
    """Return the story of a fleet's events."""
    slow, fast = (len(fleet.made[host]) for host in (fleet.slow, fleet.fast))
    if fleet.ended:
        return fleet.ended
    if fleet.hoarded:
        behind = fleet.stranded + fleet.events - fleet.done
        return (
            f"{fleet.events} events: the fast worker made {fast} and had nothing left to do, while "
            f"{behind} were still with the slow one"
        )
    return (
        f"after {fleet.took_s:.1f} s {fleet.done} of {fleet.events} thumbnails are made, {fast} by "
        f"the fast worker and {slow} by the slow one; {fleet.best_s:.1f} s is the best that these "
        f"two can do for all"
    )


def why_late(trial: Trial, fleet: Fleet, measured: Sequence[Window]) -> str:
    """Return the belief behind a fleet that is slow although its windows are right."""
    if fleet.ended:
        return "one-at-a-time" if "exclusive" in fleet.ended else "not-done"
    if fleet.hoarded:
        return "more-is-faster"
    return why_kept(measured) or "not-done"


def why_kept(measured: Sequence[Window]) -> str:
    """Return the belief behind handled events without an ack, or "" if each is acked."""
    acks = [boundary.details for window in measured for boundary in window.actor.boundaries
            if boundary.at == "after ack"]  # fmt: skip
    if any(len(details.get("messages", ())) > 1 for details in acks):
        return "ack-in-batches"
    return "" if acks else "never-acked"


def killed(trial: Trial, proxy: Proxy, measured: Sequence[Window]) -> Broken | None:
    """Kill a worker next door at each point of two events."""
    host, queue = replace(NEAR_FAST, name="worker"), "thumbnails"
    events = [f"{queue}-{n}" for n in (1, 2)]
    auto = acks_automatically(measured)

    def play() -> Broken | None:
        trial.fresh(cases.TABLE)
        cases.declare(trial, queue)
        cases.publish(trial, queue, len(events))
        cases.start(trial, host, queue, proxy, restarts=3)
        trial.watch.settle(
            lambda: not undone() and (auto or acked() == set(events)),
            timeout_s=cases.START_S,
            quiet_s=cases.PATIENCE_S,  # a start takes long on a busy machine
        )
        trouble = trial.trouble()
        trial.end()
        cases.wait_for_deaths(trial, [queue])
        left = {message[1].message_id for message in trial.take_all(queue, expected=undone())}
        for event in events:
            story = trial.history.story(event)
            if event in undone() and event not in left:
                return Broken("a", f"{story}: no thumbnail, and in no queue", why_lost(measured))
            if event in undone():
                why = "not-done" if trouble else why_kept(measured) or "not-done"
                return Broken("a", f"{trouble or story}: it stays in the queue", why)
            if event in left and event not in acked():
                why = why_kept(measured) or "never-acked"
                return Broken("a", f"{story}, and then nothing: it stays in the queue", why)
        return None

    def undone() -> list[str]:
        made = {row[0] for row in trial.rows("SELECT document FROM thumbnails")}
        return [event for event in events if event not in made]

    def acked() -> set[str]:
        acks = [
            boundary.details
            for boundary in list(trial.watch.boundaries)
            if boundary.at == "after ack"
        ]
        return {message for details in acks for message in details["messages"]}

    return crash_points(trial, play, least=6)


def why_lost(measured: Sequence[Window]) -> str:
    """Return the belief behind an event that is lost."""
    return "auto-ack" if acks_automatically(measured) else "ack-before-work"


def acks_automatically(measured: Sequence[Window]) -> bool:
    """Return whether a worker uses auto_ack."""
    return any(window.details("delivery").get("auto_ack") for window in measured)
