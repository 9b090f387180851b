"""Asks whether consumers are connected, not whether they finish anything.

Breaks: a (connected-is-working)
"""

PROMISE_S = 30

REPAIRS = {
    "stuck consumer": ["restart consumers"],
    "poison loop": ["dead-letter failures"],
    "slow consumer": ["add consumers"],
    "healthy growth": [],
    "publisher blocked": ["raise memory limit"],
    "unroutable flood": ["restore binding", "publish again"],
    "missing consumer": ["add consumers"],
    "DLQ filling": ["roll back consumers", "replay dead letters"],
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
        "stuck consumer": last["unacked"] > 0 and not last["consumers"],
        "missing consumer": last["ready"] > 0 and not last["consumers"],
        "slow consumer": last["ready"] + last["unacked"] > PROMISE_S * acks_per_s,
    }
    return next((cause for cause in shown if shown[cause]), "healthy growth")
