"""Record why each way to a broker was chosen or skipped."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """One way to a broker, whether it was taken, and why."""

    source: str
    chosen: bool
    reason: str


_decisions: list[Decision] = []


def decide(source: str, *, chosen: bool, reason: str) -> None:
    """Record a decision; it replaces an earlier one about the same source."""
    _decisions[:] = [d for d in _decisions if d.source != source]
    _decisions.append(Decision(source, chosen, reason))


def decisions() -> list[Decision]:
    """Return the decisions of the latest search, in the order of the search."""
    return list(_decisions)


def forget_decisions() -> None:
    """Begin a new search."""
    _decisions.clear()
