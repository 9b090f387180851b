"""Journals: files of events, one JSON object a line, to which lines are only added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.errors import UsageError
from helpers.machine import files


@dataclass(frozen=True)
class Journal:
    """The events of a journal, and how many of its lines are no events."""

    entries: tuple[dict[str, Any], ...]
    unreadable: int  # a kill or a full disk can cut a line off; the others are valid


def now() -> str:
    """Return the time as it stands in journals: local, to the second, with its offset."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def add(file: Path, entry: Mapping[str, Any]) -> None:
    """Add an event to the end of a journal, all of it or nothing.

    Args:
        file: the journal, made if it is absent.
        entry: what JSON can hold, and scalars of numpy and pandas.

    Raises:
        UsageError: JSON cannot hold a value.
        NotWrittenError: the disk is full, or the user may not write there.
    """
    try:
        line = json.dumps(entry, default=_plain, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file.name} cannot keep {dict(entry)!r}: {error}") from error
    files.append(file, "\n" * _is_cut_off(file) + line + "\n")


def read(file: Path) -> Journal:
    """Return the events of a journal in its order; none if there is no such file.

    Args:
        file: the journal.
    """
    entries, unreadable = [], 0
    text = file.read_bytes().decode(errors="replace") if file.exists() else ""
    for line in text.split("\n"):  # splitlines would also end a line at a U+2028 in a text
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # the latter: brackets in brackets without end
            entry = None
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            unreadable += bool(line.strip())
    return Journal(tuple(entries), unreadable)


def _is_cut_off(file: Path) -> bool:
    """Return whether the last line has no end, so that the next would be lost with it."""
    try:
        with file.open("rb") as handle:
            return bool(handle.seek(0, 2)) and (handle.seek(-1, 2), handle.read(1))[1] != b"\n"
    except FileNotFoundError:
        return False


def _plain(value: object) -> object:
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no number, text, list or table")
