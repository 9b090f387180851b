"""Lab 9: the right prefetch for fast and slow workers, next door and far away.

A worker is held in its first event. It holds the events that have left its queue, and its death
requeues its blast radius. Both are counts, which load does not change.
"""

from collections.abc import Iterator, Sequence

from helpers import chaos
from helpers.chaos import Proxy
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab09_prefetch import cases, fleets
from labs.lab09_prefetch.cases import FAR_FAST, FAR_SLOW, NEAR_FAST, NEAR_SLOW, Window
from labs.lab09_prefetch.deaths import killed, why_kept
from labs.lab09_prefetch.fleets import Fleet

LEAST_SHARE = 0.75  # of the time at work
LEAST_PACE = 0.5  # measured, so with room for other load
HOSTS = (NEAR_FAST, NEAR_SLOW, FAR_FAST, FAR_SLOW)


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; its windows come first, since they explain the rest."""
    with chaos.proxy(round_trip_ms=cases.FAR_MS) as proxy:
        measured = cases.windows(trial, HOSTS, proxy)
        if all(window.trouble for window in measured):
            first = measured[0]
            yield Broken("a", f"no thumbnail was made: {first.trouble}", first.why)
            yield from (NotSeen(key, "no thumbnail was made") for key in "bcdef")
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
        "whenever the worker is killed or the store fails",
        "b": "far away, a worker is at work for three quarters of the time or more",
        "c": "next door, a worker makes one thumbnail after the other, and holds at most twice the "
        "events that keep it busy",
        "d": "far away, a worker makes one thumbnail after the other, and its death affects at "
        "most twice the events that keep it busy",
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
        "empty-is-over": "a queue that is empty for a moment has nothing more to come",
        "parallel-is-free": "a host makes several thumbnails at once as quickly as one",
    },
)


def judge_windows(measured: Sequence[Window]) -> Iterator[Finding]:
    """Judge the windows: not too small far away, nowhere too large."""
    for window in measured:
        if window.trouble:
            story = f"{window.host.name} made no thumbnail: {window.trouble}"
            yield Broken("b" if window.host.far else "c", story, window.why)
            if window.host.far:
                yield NotSeen("d", story)
    usable = [window for window in measured if not window.trouble]
    for window in usable:
        if window.parallel > 1:
            story = f"{window.host.name} works on {window.parallel} events at once"
            yield Broken("d" if window.host.far else "c", story, "parallel-is-free")
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


def judge_fleets(trial: Trial, proxy: Proxy, measured: Sequence[Window]) -> Iterator[Finding]:
    """Judge how fleets share their work.

    The windows are known by now: a slow worker with a too large one, or a fast worker with a too
    small one, breaks its fleet's requirement even if this one run was lucky.
    """
    held = {window.host: window for window in measured}
    usable = [window for window in measured if not window.trouble]
    near, far = fleets.race(trial, proxy)
    for key, fleet in (("e", near), ("f", far)):
        slow, fast = held[fleet.slow], held[fleet.fast]
        if slow.trouble or fast.trouble:
            yield NotSeen(key, f"a worker of this fleet made no thumbnail: {fleet.ended}")
            continue
        if slow.radius > fleet.slow.most:
            why = why_too_many(slow, usable)
        elif fast.share < LEAST_SHARE:
            why = why_too_few(fast, usable)
        elif fast is dawdler(usable):
            why = "calls-cost-nothing"
        else:
            why = ""
        if near.ended and not (why or fleet.ended):
            yield NotSeen(key, f"its pace has nothing to be compared with: {near.ended}")
            continue
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
        if fleet.returned:
            return "empty-is-over"
        return "one-at-a-time" if "exclusive" in fleet.ended else "raised"
    if fleet.hoarded:
        return "more-is-faster"
    return why_kept(measured) or "not-done"
