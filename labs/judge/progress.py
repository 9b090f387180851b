"""The learner's progress: all verdicts, as lines of JSON in ``work/labs.jsonl``."""

import json
from datetime import datetime
from pathlib import Path

from helpers.machine import files
from helpers.machine.paths import work
from labs.judge.model import Verdict, load, numbers


def file_of(number: int) -> Path:
    """Return the learner's file of a lab."""
    return work() / f"lab{number:02d}.py"


def keep(verdict: Verdict) -> None:
    """Append a verdict to the file."""
    entry = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "lab": verdict.lab,
        "broken": [finding.requirement for finding in verdict.broken],
        "unseen": [finding.requirement for finding in verdict.unseen],
        "unusable": verdict.unusable,
    }
    file = work() / "labs.jsonl"
    cut_off = file.exists() and not file.read_bytes().endswith(b"\n")
    files.append(file, "\n" * cut_off + json.dumps(entry, ensure_ascii=False) + "\n")


def overview() -> str:
    """Return one line per lab with the result of its last check."""
    last = {entry["lab"]: entry for entry in _entries()}
    lines = []
    for number in numbers():
        lab = load(number)
        state = _state(last.get(number), len(lab.requirements))
        lines.append(f"  {number:2}  {lab.title:<34} {state}")
    return "\n".join(["Labs, as of their last check:", *lines])


def _state(entry: dict[str, object] | None, total: int) -> str:
    if entry is None:
        return "not tried yet"
    day = str(entry["date"])[:10]
    if entry["unusable"]:
        return f"could not be judged ({day})"
    broken, unseen = entry["broken"], entry.get("unseen", [])
    assert isinstance(broken, list) and isinstance(unseen, list)
    if not broken and not unseen:
        return f"holds ({day})"
    words = [f"{total - len(broken) - len(unseen)} of {total} hold"]
    words += [f"broken: {', '.join(broken)}"] * bool(broken)
    words += [f"not seen: {', '.join(unseen)}"] * bool(unseen)
    return f"{'; '.join(words)} ({day})"


def _entries() -> list[dict[str, object]]:
    entries = []
    file = work() / "labs.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue  # a full disk or a kill can truncate a line; the others are valid
    return entries
