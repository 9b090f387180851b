"""What a learner has practised: events in ``work/practice.jsonl``, to which lines are only added.

Each event begins with an id, which begins with its time in UTC: two machines' files are merged by
``sort -u``. Everything else is computed from the events, so nothing that is computed can be lost.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

from helpers.errors import UsageError
from helpers.machine import journal
from helpers.machine.paths import work

FILE = "practice.jsonl"
ID = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}")
QUESTION = re.compile(r"q\d\d")
# What an event of each kind has beside "id", "day" and "kind"; events may have more.
KINDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "review": {"card": str, "rating": int},
    "point": {"ask": str, "point": str, "said": str},
    "interview": {"level": str, "asked": list},
    "interview-on": {"date": str},
    "forget": {"question": str},
}


@dataclass(frozen=True)
class Event:
    """Something that the learner did on a day."""

    id: str
    day: date  # as the learner's calendar had it
    kind: str
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self | None:
        """Return the event in a line of the file; None if it is none that is known here."""
        facts = {key: value for key, value in entry.items() if key not in ("id", "day", "kind")}
        try:
            day = date.fromisoformat(entry["day"])
            wanted = KINDS[entry["kind"]]
            right = bool(ID.fullmatch(entry["id"]))
        except (KeyError, TypeError, ValueError):
            return None
        right = right and all(isinstance(facts.get(key), type_) for key, type_ in wanted.items())
        return cls(entry["id"], day, entry["kind"], facts) if right else None

    def about(self, question: str) -> bool:
        """Return whether a review or a point belongs to a question such as "q09"."""
        return str(self.facts.get("card") or self.facts.get("ask") or "").startswith(question)


@dataclass(frozen=True)
class History:
    """All that was practised, oldest first, without what was forgotten."""

    events: tuple[Event, ...]
    unreadable: int  # lines that are no JSON objects
    unknown: int  # events of a newer version, or with wrong values

    def of(self, kind: str) -> list[Event]:
        """Return the events of one kind."""
        return [event for event in self.events if event.kind == kind]

    @property
    def interview(self) -> date | None:
        """The day of the interview, as last set; None if there is none."""
        days = [event.facts["date"] for event in self.of("interview-on")]
        return date.fromisoformat(days[-1]) if days and days[-1] else None

    @property
    def remark(self) -> str:
        """What of the file could not be used, in a sentence; "" if all could."""
        parts = [
            f"{count} {what}" for count, what in (
                (self.unreadable, "cut-off or broken"),
                (self.unknown, "of a kind that this version does not know"),
            ) if count
        ]  # fmt: skip
        if not parts:
            return ""
        return f"Lines of practice.jsonl that were passed over, and stay there: {', '.join(parts)}."


def now() -> datetime:
    """Return the time, with the zone of this machine."""
    return datetime.now().astimezone()


def path() -> Path:
    """Return the file of events, in the learner's folder ``work/``."""
    return work() / FILE


def record(kind: str, now: datetime, **facts: Any) -> Event:
    """Keep an event.

    Args:
        kind: one of ``KINDS``.
        now: the time, with its zone: its date is the learner's day.
        facts: what ``KINDS`` wants of this kind, and more.

    Raises:
        NotWrittenError: the disk is full, or the user may not write there.
    """
    utc = now.astimezone(UTC)
    stamp = f"{utc:%Y%m%dT%H%M%S}.{utc.microsecond // 1000:03}Z-{secrets.token_hex(3)}"
    entry = {"id": stamp, "day": now.date().isoformat(), "kind": kind, **facts}
    event = Event.of(entry)
    if event is None:
        raise ValueError(f"no event of this kind: {entry}")
    journal.add(path(), entry)
    return event


def set_interview(day: str, now: datetime) -> None:
    """Keep the day of the interview.

    Args:
        day: such as "2026-12-14"; "none" for no interview.
        now: the time, with its zone.

    Raises:
        UsageError: it is no day, or has passed.
    """
    if day == "none":
        record("interview-on", now, date="")
        return
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"a day looks like 2026-12-14, not {day!r}; or say none") from None
    if wanted < now.date():
        raise UsageError(f"{day} has passed: give the day of the interview, or none")
    record("interview-on", now, date=day)


def forget(question: str, now: datetime) -> None:
    """Begin anew with a question: what was practised of it until now no longer counts.

    Args:
        question: such as "q09".
        now: the time, with its zone.

    Raises:
        UsageError: it is no question.
    """
    if not QUESTION.fullmatch(question):
        raise UsageError(f"a question is one of q01 to q10, not {question!r}")
    record("forget", now, question=question)


def history() -> History:
    """Return all that the learner has practised here."""
    return read(path())


def read(file: Path) -> History:
    """Return all that was practised, in the order of its time, each event once.

    Args:
        file: a learner's ``practice.jsonl``; without it nothing was practised.
    """
    lines = journal.read(file)
    found = [event for entry in lines.entries if (event := Event.of(entry))]
    events = sorted({event.id: event for event in found}.values(), key=lambda event: event.id)
    unknown = len(lines.entries) - len(found)
    return History(tuple(_remembered(events)), lines.unreadable, unknown)


def _remembered(events: Sequence[Event]) -> list[Event]:
    kept: list[Event] = []
    for event in events:
        if event.kind == "forget":
            kept = [one for one in kept if not one.about(event.facts["question"])]
        else:
            kept.append(event)
    return kept
