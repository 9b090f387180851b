"""Turns it off and on again.

Breaks: b (restart-cures), c (restart-cures), e (restart-cures), f (restart-cures),
g (restart-cures), h (restart-cures)
"""

PROMISE_S = 30

REPAIRS = {
    "stuck consumer": ["restart consumers"],
    "poison loop": ["restart consumers"],
    "slow consumer": ["restart consumers"],
    "healthy growth": [],
    "publisher blocked": ["restart publishers"],
    "unroutable flood": ["restart publishers"],
    "missing consumer": ["restart consumers"],
    "DLQ filling": ["restart consumers"],
}


def on_call(readings):
    cause = diagnose(readings)
    return {"cause": cause, "actions": repair(cause)}


def repair(cause):
    return REPAIRS[cause]


def diagnose(readings):
    first, last = readings[0], readings[-1]
    change = {name: last[name] - first[name] for name in last}
    acks_per_s = change["acked"] / change["t_s"]
    shown = {
        "publisher blocked": last["alarms"] > 0,
        "unroutable flood": change["dropped"] > 0,
        "DLQ filling": change["dead_letters"] > 0,
        "poison loop": change["redelivered"] > 0.1 * change["delivered"],
        "stuck consumer": last["unacked"] > 0 and not change["acked"],
        "missing consumer": last["ready"] > 0 and not last["consumers"],
        "slow consumer": last["ready"] > PROMISE_S * acks_per_s,
    }
    return next((cause for cause in shown if shown[cause]), "healthy growth")
