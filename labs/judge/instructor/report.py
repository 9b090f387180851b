"""Write the grades of a class: ``grades.csv`` and ``report.html``."""

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
    """Return the number of requirements that hold."""
    return sum(grade.verdict.holds(key) for key in load(grade.submission.lab).requirements)


def reasons(lab: Lab, grade: Grade) -> str:
    """Return the reasons for all that does not hold, in one line."""
    if grade.verdict.unusable:
        return grade.verdict.unusable
    return "; ".join(
        f"{finding.requirement}: {lab.belief(finding.misconception)}"
        for finding in grade.verdict.broken
    )


def misconceptions(grades: Sequence[Grade]) -> list[tuple[str, list[str]]]:
    """Return the beliefs behind broken requirements with their learners, the commonest first.

    A learner counts once for a belief, even if it breaks several requirements.
    """
    learners: dict[str, list[str]] = defaultdict(list)
    for grade in grades:
        lab = load(grade.submission.lab)
        if grade.verdict.unusable:
            learners["could not be judged"].append(grade.submission.learner)
        for name in {finding.misconception for finding in grade.verdict.broken}:
            learners[lab.belief(name)].append(grade.submission.learner)
    return sorted(learners.items(), key=lambda item: (-len(item[1]), item[0]))


def write_report(grades: Sequence[Grade], file: Path, *, notes: Sequence[str]) -> None:
    """Write the report: for each lab the class as a whole, then each submission.

    Args:
        grades: the grades of the class.
        file: the HTML file; it needs no other file.
        notes: sentences for the top, such as a missing sandbox.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    labs = []
    for number in sorted({grade.submission.lab for grade in grades}):
        of_lab = [grade for grade in grades if grade.submission.lab == number]
        lab = load(number)
        labs.append(
            {
                "lab": lab,
                "rows": [{"grade": grade, "held": held(grade)} for grade in of_lab],
                "beliefs": misconceptions(of_lab),
                "holding": {
                    key: sum(grade.verdict.holds(key) for grade in of_lab)
                    for key in lab.requirements
                },
                "all": sum(held(grade) == len(lab.requirements) for grade in of_lab),
            }
        )
    text = environment.get_template(TEMPLATE).render(
        labs=labs, notes=notes, date=datetime.now().strftime("%Y-%m-%d %H:%M"), style=style
    )
    file.write_text(text, encoding="utf-8")
