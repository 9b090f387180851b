"""Takes deliveries for work: what is delivered so often gets on.

Breaks: b (busy-is-working)
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
    done_per_s = change["delivered"] / change["t_s"]
    shown = {
        "publisher blocked": last["alarms"] > 0,
        "unroutable flood": change["dropped"] > 0,
        "DLQ filling": change["dead_letters"] > 0,
        "stuck consumer": last["unacked"] > 0 and not change["delivered"],
        "missing consumer": last["ready"] > 0 and not last["consumers"],
        "slow consumer": last["ready"] > PROMISE_S * done_per_s,
    }
    return next((cause for cause in shown if shown[cause]), "healthy growth")
