"""Findings of a check about one requirement."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """A requirement that does not hold, with the smallest history that breaks it.

    ``story`` is a short sequence of events, never the solution. ``misconception`` is the name of
    the belief behind it; each belief has one name in all labs, since the report of a class counts
    beliefs.
    """

    requirement: str
    story: str
    misconception: str


@dataclass(frozen=True)
class NotSeen:
    """A requirement that could not be tried, since something that it builds on does not work."""

    requirement: str
    story: str  # why not: "run_worker() ended with NameError … (line 12)"


Finding = Broken | NotSeen
