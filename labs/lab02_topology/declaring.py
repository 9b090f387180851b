"""Call `declare`, and look whether its return value can be used."""

from typing import Any

from helpers.errors import WaitTimeoutError
from labs.judge import later
from labs.judge.findings import Broken
from labs.judge.trial import Trial
from labs.lab02_topology.cases import SERVICES, exchanges

KINDS = ("classic", "quorum")


def declared(trial: Trial, requirement: str = "a") -> tuple[dict[str, Any], Broken | None]:
    """Call `declare`; return its return value and None, or {} and why it cannot be used."""
    try:
        made = trial.call("declare", trial.url)
    except WaitTimeoutError:
        return {}, Broken(requirement, "declare() does not return within 10 s", "not-done")
    if trial.trouble():
        return {}, trial.undone(requirement)
    story = flaw(made)
    return (made, None) if not story else ({}, Broken(requirement, story, "not-done"))


def flaw(made: Any) -> str:
    """Return what is wrong with the return value of `declare`, or ""."""
    given = made.get("queues") if isinstance(made, dict) else None
    if not isinstance(given, dict) or not isinstance(made.get("exchange"), str):
        return f"declare() returns {made!r}"[:200]
    if missing := [name for name in SERVICES if not isinstance(given.get(name), str)]:
        return f"declare() names no queue for {', '.join(missing)}"
    if made["exchange"] not in exchanges() and not made["exchange"].startswith("amq."):
        return f"declare() names the exchange {made['exchange']!r}, and there is none"
    for queue in later.queues(given.values()):
        if queue.arguments.get("x-queue-type", "classic") not in KINDS:
            return f"queue {queue.name} is neither a classic nor a quorum queue"
    return ""
