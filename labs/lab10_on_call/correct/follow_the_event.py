"""Follows an event on its way and stops where it stops; the newer half of the readings counts."""

from itertools import pairwise

PROMISE_S = 30


def on_call(readings):
    cause = diagnose(readings[len(readings) // 2 :])
    return {"cause": cause, "actions": repair(cause)}


def diagnose(readings):
    now = readings[-1]

    def grew(name):
        steps = [after[name] - before[name] for before, after in pairwise(readings)]
        return sum(max(step, 0) for step in steps)

    seconds = now["t_s"] - readings[0]["t_s"]
    enters = not now["alarms"]
    is_routed = grew("dropped") == 0
    is_taken = now["consumers"] > 0 or now["ready"] == 0
    is_new = grew("delivered") == 0 or grew("redelivered") / grew("delivered") < 0.2
    is_finished = grew("acked") > 0 or now["unacked"] == 0
    is_accepted = grew("dead_letters") == 0
    is_in_time = now["ready"] * seconds <= PROMISE_S * grew("acked")
    for holds, cause in (
        (enters, "publisher blocked"),
        (is_routed, "unroutable flood"),
        (is_taken, "missing consumer"),
        (is_new, "poison loop"),
        (is_finished, "stuck consumer"),
        (is_accepted, "DLQ filling"),
        (is_in_time, "slow consumer"),
    ):
        if not holds:
            return cause
    return "healthy growth"


def repair(cause):
    more, newly = ["add consumers"], ["roll back consumers"]
    return {
        "publisher blocked": ["raise memory limit"],
        "unroutable flood": ["restore binding", "publish again"],
        "missing consumer": more,
        "slow consumer": more,
        "poison loop": ["dead-letter failures"],
        "stuck consumer": newly,  # whoever is replaced lets go of what it holds
        "DLQ filling": [*newly, "replay dead letters"],
        "healthy growth": [],
    }[cause]
