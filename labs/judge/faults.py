"""Faults at the boundaries of a submission: deaths, cut connections, and operations that fail."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

# The answer at a boundary: go on, be held until an event, or suffer a fault.
Order = Literal["go", "cut", "kill"] | str | threading.Event
Action = Literal["cut", "kill", "fail"]

# Boundaries at which a process can be killed or cut off; the others only inform.
CRASHABLE = (
    "delivery", "before effect", "after effect", "before commit", "after commit",
    "before ack", "after ack", "before nack", "after nack", "before reject", "after reject",
    "before publish", "before confirm", "after publish",
)  # fmt: skip

FAIL = "fail "  # the order "fail locked": the operation after the boundary fails like this
STORE = {
    "locked": "database is locked",
    "full": "database or disk is full",
    "broken": "disk I/O error",
}
FULL_QUEUE = "judge.full"  # takes no message, so that the broker nacks a publish
BROKER = {
    "nack": "the broker refuses it",
    "close": "the broker closes the channel",
    "return": "the broker returns it",
}
WRITES = {"before effect": tuple(STORE), "before commit": tuple(STORE)}
# Who publishes with `mandatory` learns of a return; a check asks for it where its brief does.
REFUSALS = {"before publish": ("nack", "close")}
RETURNS = {"before publish": ("nack", "close", "return")}
ALL = {**WRITES, **REFUSALS}


@dataclass(frozen=True)
class Fault:
    """A fault at the ``point``-th boundary where it can be, 1, 2, 3, …; 0 for none.

    ``failures`` has the boundaries where an operation can fail, and the ways in turn: the first
    boundary in the first way, the second in the second way.
    """

    point: int
    action: Action
    role: str = ""  # boundaries of this role alone are counted; "": of all roles
    failures: Mapping[str, Sequence[str]] = field(default_factory=lambda: ALL)

    def crashes_at(self, at: str) -> bool:
        """Return whether a process can be killed or cut off at this kind of boundary."""
        return at in CRASHABLE

    def fails_at(self, at: str) -> bool:
        """Return whether an operation can fail at this kind of boundary."""
        return at in self.failures

    def failure(self, at: str) -> str:
        """Return the order for a failure at this kind of boundary."""
        ways = self.failures[at]
        return FAIL + ways[(self.point - 1) % len(ways)]


def in_words(order: str, moment: str) -> str:
    """Return a failure in words: "database is locked before commit"."""
    way = order.removeprefix(FAIL)
    return BROKER.get(way) or f"{STORE[way]} {moment}"
