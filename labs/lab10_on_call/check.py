"""Lab 10: eight systems at night; seven have an incident, which only their metrics show.

The systems are real and run at once. The actions of the learner's code are carried out, and the
events are judged: handled, still waiting, or lost.
"""

import random
import secrets
from collections.abc import Iterator
from contextlib import ExitStack

from helpers import incidents
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab10_on_call import recorded
from labs.lab10_on_call.incident_system import System
from labs.lab10_on_call.readings import Reader, shared
from labs.lab10_on_call.shift import (
    BLOCKED,
    HEALTHY,
    Night,
    OwnNode,
    ask,
    observe,
    recover,
    start,
)  # fmt: skip

SEED = 10
LETTERS = {
    "stuck consumer": "a",
    "poison loop": "b",
    "slow consumer": "c",
    HEALTHY: "d",
    BLOCKED: "e",
    "unroutable flood": "f",
    "missing consumer": "g",
    "DLQ filling": "h",
}
# The belief behind taking this incident for another one.
MISREAD = {
    "stuck consumer": "connected-is-working",
    "poison loop": "busy-is-working",
    "slow consumer": "depth-is-time",
    HEALTHY: "depth-is-time",
    BLOCKED: "up-is-well",
    "unroutable flood": "confirmed-is-routed",
    "missing consumer": "deep-is-slow",
    "DLQ filling": "dlq-is-the-end",
}
GROWING = {"slow consumer", HEALTHY}
RESTARTS = {
    "restart consumers", "restart publishers", "roll back consumers", "dead-letter failures",
}  # fmt: skip


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission: seven systems at once, then the one on a separate node."""
    seed = secrets.randbits(32) if trial.hidden else SEED
    without_answer = False
    with OwnNode(random.Random(seed + 1)) as own:
        for night in sorted([*seven(trial, seed), eighth(trial, own)], key=letter_of):
            if night.trouble and without_answer:
                yield NotSeen(letter_of(night), night.trouble)
            elif finding := judge(night):
                yield finding
            without_answer = without_answer or bool(night.trouble)


LAB = Lab(
    number=10,
    title="On call",
    question="q10_monitoring",
    requirements={
        "a": "consumers that hold messages and finish none are found, and what they hold gets done",
        "b": "an event that fails for ever is found, and put aside without harm to the others",
        "c": "consumers too slow for the promise are found, and the backlog is worked off",
        "d": "a queue that grows and drains in time is left alone",
        "e": "a publisher that the broker holds back is found, and it publishes again",
        "f": "events that reach no queue are found, and all of them get handled",
        "g": "a queue without a consumer is found, and its events get handled",
        "h": "events that are given up are found, and all of them get handled",
    },
    roles=("on_call(readings)",),
    check=check,
    beliefs={
        "empty-is-well": "an empty queue is a healthy queue",
        "connected-is-working": "consumers that are connected work",
        "busy-is-working": "many deliveries are much work done",
        "depth-is-time": "the depth of a queue says how long its messages wait",
        "up-is-well": "a broker that answers takes messages",
        "confirmed-is-routed": "an event that was confirmed is in a queue",
        "deep-is-slow": "a deep queue has slow consumers",
        "dlq-is-the-end": "what is in a DLQ is dealt with",
        "total-is-now": "a number that is not 0 is happening now",
        "growth-is-an-incident": "all growth needs an action",
        "purge-is-repair": "a queue that is empty again is repaired",
        "scaling-cures": "more consumers help against anything",
        "restart-cures": "a restart helps against anything",
        "repeat-cures": "sending once more is a repair",
    },
)


def seven(trial: Trial, seed: int) -> list[Night]:
    """Play the night of the systems that share a broker."""
    dice = random.Random(seed)
    trial.fresh()
    place = shared()
    names = [name for name in incidents.BY_NAME if name != BLOCKED]
    dice.shuffle(names)
    with ExitStack() as stack:
        systems = [System(name, place, dice) for name in names]
        reader = Reader(place, [system.state for system in systems])
        stack.callback(reader.close)
        for system in systems:
            stack.callback(system.end)
        # What a growing queue holds depends on its age, so it starts when the others have begun.
        growing = [system for system in systems if system.incident in GROWING]
        start([system for system in systems if system not in growing])
        start(growing)
        nights = observe(systems, reader)
        ask(trial, nights)
        recover(trial, nights, reader)
        return nights


def eighth(trial: Trial, own: OwnNode) -> Night:
    """Play the night of the blocked publisher; where no node can run, take it from a record."""
    if (own_night := own.result()) is None:
        night = recorded.night()
        ask(trial, [night])
        recorded.recover(night)
        return night
    nights, reader = own_night
    ask(trial, nights)
    recover(trial, nights, reader)
    return nights[0]


def letter_of(night: Night) -> str:
    """Return the letter of the requirement that a system is about."""
    return LETTERS[night.incident]


def judge(night: Night) -> Broken | None:
    """Judge one system by the named cause and by the end of its incident."""
    letter = letter_of(night)
    if night.trouble:
        return Broken(letter, f"{seen(night)}; {night.trouble}", night.why_no_answer)
    if night.cause != night.incident:
        return Broken(letter, f"{seen(night)}; it named {night.cause!r}", misread(night))
    if night.incident == HEALTHY:
        if not night.actions:
            return None
        story = f"{seen(night)}; it did: {did(night)}{lost(night)}"
        return Broken(letter, story, "growth-is-an-incident")
    if night.over:
        return None
    return Broken(letter, f"it did: {did(night)}; {became(night)}", wrong_fix(night))


def misread(night: Night) -> str:
    """Return the belief behind a wrong cause."""
    if night.cause in ("DLQ filling", "unroutable flood"):
        return "total-is-now"
    if (night.incident, night.cause) == ("stuck consumer", HEALTHY):
        return "empty-is-well"
    return MISREAD[night.incident]


def wrong_fix(night: Night) -> str:
    """Return the belief behind actions that did not help."""
    actions = set(night.actions)
    again = actions & {"replay dead letters", "publish again"}
    if actions & {"purge queue", "purge dead letters"}:
        return "purge-is-repair"
    if "add consumers" in actions:
        return "scaling-cures"
    if again:
        return "repeat-cures"
    if night.incident == "DLQ filling" and "roll back consumers" in actions:
        return "dlq-is-the-end"
    if night.incident == "unroutable flood" and "restore binding" in actions:
        return "confirmed-is-routed"
    return "restart-cures" if actions & RESTARTS else "not-done"


def seen(night: Night) -> str:
    """Return the changes in the readings, and the latest values."""
    first, last = night.before[0], night.before[-1]
    changes = [
        f"{name} +{last[name] - first[name]:.0f}"
        for name in ("published", "dropped", "acked", "redelivered", "dead_letters")
    ]
    now = [f"{name} {last[name]:.0f}" for name in ("ready", "unacked", "consumers", "alarms")]
    return f"in {last['t_s'] - first['t_s']:.0f} s {', '.join(changes)}; then {', '.join(now)}"


def did(night: Night) -> str:
    """Return the actions in words."""
    return ", then ".join(night.actions) or "nothing"


def became(night: Night) -> str:
    """Return the result of the actions in words."""
    results = []
    last, places = night.after[-1], night.places
    if night.left:
        results.append(f"{len(night.left)} of {len(night.due)} events are not handled")
    if places["waiting"]:
        results.append(f"{places['waiting']} are still in the queue or held")
    if places["dead"]:
        results.append(f"{places['dead']} are in the DLQ")
    if places["lost"]:
        results.append(f"{places['lost']} are in no queue")
    if night.repeats_per_s:
        results.append(f"{night.repeats_per_s:.0f} redeliveries a second go on")
    if night.stands_still:
        results.append("no event has been published since")
    if not results:
        results.append(f"{last['dead_letters']:.0f} dead letters are left")
    return f"{last['t_s'] - night.after[0]['t_s']:.0f} s later {', '.join(results)}"


def lost(night: Night) -> str:
    """Return the number of events that a needless action deleted, in words, or ""."""
    number = night.places["lost"]
    return f", and {number} events are in no queue any more" if number else ""
