"""Lab 10: on call. Fill in `diagnose` and `repair`; nothing else is needed."""

PROMISE_S = 30  # no event waits longer than this

CAUSES = (
    "stuck consumer",
    "poison loop",
    "slow consumer",
    "healthy growth",
    "publisher blocked",
    "unroutable flood",
    "missing consumer",
    "DLQ filling",
)


def on_call(readings):
    """Name the cause, and say what is to be done, in this order: two actions at most."""
    cause = diagnose(readings)
    return {"cause": cause, "actions": repair(cause)}


def diagnose(readings):
    """Return one of CAUSES. Each reading is a dict; the last one is the newest."""
    print("not looked at yet:", readings[-1])


def repair(cause):
    """Return actions of the runbook."""
    return []
