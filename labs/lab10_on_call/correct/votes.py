"""Lets each pair of neighbouring readings vote; an incident is what most of them show."""

from collections import Counter

PROMISE_S = 30
RUNBOOK = {
    "stuck consumer": ["restart consumers"],
    "poison loop": ["dead-letter failures"],
    "slow consumer": ["add consumers", "add consumers"],
    "publisher blocked": ["raise memory limit", "restart publishers"],
    "unroutable flood": ["restore binding", "publish again"],
    "missing consumer": ["add consumers"],
    "DLQ filling": ["roll back consumers", "replay dead letters"],
}


def on_call(readings):
    step = max(1, len(readings) // 4)  # far enough apart that something happens in between
    pairs = zip(readings[:-step], readings[step:], strict=True)
    votes = Counter(vote(before, now) for before, now in pairs)
    [(cause, _)] = votes.most_common(1)
    return {"cause": cause, "actions": RUNBOOK.get(cause, [])}


def vote(before, now):
    per_s = {key: (now[key] - before[key]) / (now["t_s"] - before["t_s"]) for key in now}
    nothing_done = not per_s["acked"] and not per_s["delivered"]
    if now["alarms"] and not per_s["published"]:
        cause = "publisher blocked"
    elif per_s["dropped"] > 0 and not per_s["delivered"]:
        cause = "unroutable flood"
    elif per_s["redelivered"] > per_s["acked"] / 2:
        cause = "poison loop"
    elif per_s["dead_letters"] > 0.5:
        cause = "DLQ filling"
    elif now["ready"] and not now["consumers"]:
        cause = "missing consumer"
    elif now["unacked"] and not now["ready"] and nothing_done:
        cause = "stuck consumer"
    elif now["ready"] > PROMISE_S * per_s["acked"]:
        cause = "slow consumer"
    else:
        cause = "healthy growth"
    return cause
