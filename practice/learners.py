"""What the learners of a class know, from the practice that they handed in."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from practice import material, rubrics, state
from practice.rubrics import Question

MOST_POINTS = 20  # points in a report: what an hour with the class can mend


@dataclass(frozen=True)
class Known:
    """A point of a spoken answer: who made it when last asked, and who did not."""

    question: str  # such as "Q9 · What is prefetch and why does it matter?"
    says: str
    made: tuple[str, ...]
    lacking: tuple[str, ...]


def lacking(files: Mapping[str, Path]) -> list[Known]:
    """Return the points that learners lacked when they were last asked, the most lacking first.

    Args:
        files: the ``practice.jsonl`` of each learner, by name. An answer is the learner's own mark;
            a tick that a probe took back does not count.

    Raises:
        UsageError: a rubric has another form.
    """
    said: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # (card, point): by learner
    for learner, file in files.items():
        for event in state.read(file).of("review"):
            marks = event.facts.get("said")
            for point, mark in marks.items() if isinstance(marks, dict) else ():
                said[event.facts["card"], str(point)][learner] = str(mark)
    found = [
        Known(
            f"{name.upper()} · {material.drill_of(name).title}", point.says,
            tuple(who for who, mark in marks.items() if mark == "y"),
            tuple(who for who, mark in marks.items() if mark != "y"),
        )
        for name in material.questions()
        for asked in _asked(name)
        for point in asked.points
        if (marks := said.get((f"{name}.{asked.id}", point.id)))
    ]  # fmt: skip
    missed = [one for one in found if one.lacking]
    return sorted(missed, key=lambda one: (-len(one.lacking), len(one.made), one.question))


def _asked(name: str) -> list[Question]:
    rubric = rubrics.read(name)
    return [rubric.main, *rubric.follow_ups.values()]
