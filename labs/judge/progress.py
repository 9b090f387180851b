"""The learner's progress: all verdicts, as lines of JSON in ``work/labs.jsonl``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.machine import journal
from helpers.machine.paths import work
from labs.judge.model import Verdict, load, numbers


def file_of(number: int) -> Path:
    """Return the learner's file of a lab."""
    return work() / f"lab{number:02d}.py"


def file() -> Path:
    """Return the file of all verdicts, ``labs.jsonl`` in the learner's folder ``work/``."""
    return work() / "labs.jsonl"


def keep(verdict: Verdict) -> None:
    """Append a verdict to the file."""
    entry = {
        "date": journal.now(),
        "lab": verdict.lab,
        "broken": [finding.requirement for finding in verdict.broken],
        "beliefs": {finding.requirement: finding.misconception for finding in verdict.broken},
        "unseen": [finding.requirement for finding in verdict.unseen],
        "unusable": verdict.unusable,
    }
    journal.add(file(), entry)


def latest() -> dict[Any, Mapping[str, Any]]:
    """Return the last verdict of each lab that was checked, by its number."""
    return {entry.get("lab"): entry for entry in journal.read(file()).entries}


def held(entry: Mapping[str, Any], total: int) -> int:
    """Return how many requirements of a lab held in a check.

    Args:
        entry: of `latest`.
        total: how many requirements the lab has.
    """
    if entry.get("unusable"):
        return 0
    return total - len(entry.get("broken") or ()) - len(entry.get("unseen") or ())


def overview() -> str:
    """Return one line per lab with the result of its last check."""
    last, lines = latest(), []
    for number in numbers():
        lab = load(number)
        state = _state(last.get(number), len(lab.requirements))
        lines.append(f"  {number:2}  {lab.title:<34} {state}")
    return "\n".join(["Labs, as of their last check:", *lines])


def _state(entry: Mapping[str, Any] | None, total: int) -> str:
    if entry is None:
        return "not tried yet"
    day = str(entry.get("date"))[:10]
    if entry.get("unusable"):
        return f"could not be judged ({day})"
    if held(entry, total) == total:
        return f"holds ({day})"
    broken, unseen = entry.get("broken") or (), entry.get("unseen") or ()
    words = [f"{held(entry, total)} of {total} hold"]
    words += [f"broken: {', '.join(broken)}"] * bool(broken)
    words += [f"not seen: {', '.join(unseen)}"] * bool(unseen)
    return f"{'; '.join(words)} ({day})"
