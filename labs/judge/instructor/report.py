"""What an instructor gets of a graded class: ``grades.csv`` and ``report.html``."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import jinja2

from helpers.plots import style
from labs.judge.instructor.grading import Grade
from labs.judge.model import Lab, load

LETTERS = "abcdefgh"
TEMPLATE = "report.html.j2"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(grades: Sequence[Grade], file: Path) -> None:
    """Write a row for each submission.

    Columns: learner, lab, held, requirements (how many there are), a to h (1 holds, 0 broken,
    empty for none), reasons, seconds. A cell that a spreadsheet would take for a formula begins
    with an apostrophe.
    """
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["learner", "lab", "held", "requirements", *LETTERS, "reasons", "seconds"])
        for grade in grades:
            lab, verdict = load(grade.submission.lab), grade.verdict
            marks = [int(verdict.holds(key)) if key in lab.requirements else "" for key in LETTERS]
            row = [grade.submission.learner, lab.number, held(grade), len(lab.requirements)]
            row += [*marks, reasons(lab, grade), f"{verdict.seconds:.1f}"]
            writer.writerow([_plain(cell) for cell in row])


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def held(grade: Grade) -> int:
    """Return how many requirements hold."""
    return sum(grade.verdict.holds(key) for key in load(grade.submission.lab).requirements)


def reasons(lab: Lab, grade: Grade) -> str:
    """Return in a line why something does not hold."""
    if grade.verdict.unusable:
        return grade.verdict.unusable
    return "; ".join(
        f"{one.requirement}: {lab.belief(one.misconception)}" for one in grade.verdict.broken
    )


def misconceptions(grades: Sequence[Grade]) -> list[tuple[str, list[str]]]:
    """Return the beliefs of a lab's submissions with who holds them, the commonest first.

    A learner counts once for a belief, however many requirements it breaks.
    """
    who: dict[str, list[str]] = defaultdict(list)
    for grade in grades:
        lab = load(grade.submission.lab)
        if grade.verdict.unusable:
            who["could not be judged"].append(grade.submission.learner)
        for name in {one.misconception for one in grade.verdict.broken}:
            who[lab.belief(name)].append(grade.submission.learner)
    return sorted(who.items(), key=lambda item: (-len(item[1]), item[0]))


def write_report(grades: Sequence[Grade], file: Path, *, notes: Sequence[str]) -> None:
    """Write the page: for each lab the class as a whole, then each submission.

    Args:
        grades: all of them.
        file: where the page goes; it needs no other file.
        notes: sentences for the top, such as which walls there were not.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    labs = []
    for number in sorted({grade.submission.lab for grade in grades}):
        mine = [grade for grade in grades if grade.submission.lab == number]
        lab = load(number)
        labs.append(
            {
                "lab": lab,
                "rows": [{"grade": one, "held": held(one)} for one in mine],
                "beliefs": misconceptions(mine),
                "holding": {
                    key: sum(one.verdict.holds(key) for one in mine) for key in lab.requirements
                },
                "all": sum(held(one) == len(lab.requirements) for one in mine),
            }
        )
    text = environment.get_template(TEMPLATE).render(
        labs=labs, notes=notes, date=datetime.now().strftime("%Y-%m-%d %H:%M"), style=style
    )
    file.write_text(text, encoding="utf-8")
