"""Watches the depth of the queue and nothing else.

Breaks: a (empty-is-well), b (busy-is-working), d (depth-is-time), e (up-is-well),
f (confirmed-is-routed), h (dlq-is-the-end)
"""

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
    if readings[-1]["ready"] < 20:
        return "healthy growth"
    if not readings[-1]["consumers"]:
        return "missing consumer"
    return "slow consumer"
