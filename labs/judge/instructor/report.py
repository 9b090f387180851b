"""Write the grades of a class: ``grades.csv`` and ``report.html``."""

import base64
import csv
import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

from helpers.machine import files
from helpers.plots import style
from labs.judge.findings import Broken
from labs.judge.instructor.collecting import Skipped, listed
from labs.judge.instructor.grading import Grade
from labs.judge.model import Lab, Verdict, load
from practice.learners import MOST_POINTS, lacking

LETTERS = "abcdefgh"
MARKS = {"holds": 1, "BROKEN": 0, "not seen": "not seen"}
TEMPLATE, SCRIPT = "report.html.j2", "report.js"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Findings without a belief behind them.
NO_BELIEF = {"not-done": "not done yet", "raised": "ended with an error"}
UNCHANGED = "handed in the starter without a change"
# Why a submission could not be judged, by kind; the sentence of a verdict begins or goes on so.
KINDS = (
    (r"the check took longer", "the check ran out of time"),
    (r"the file did not finish loading", "it does not finish loading"),
    (r"the file ended its process", "it ends its process while it is loaded"),
    (r"it had more than \d+ processes", "it starts too many processes"),
    (r"it ended the process|the process that runs it has ended", "it ends the process around it"),
    (r"the process that runs it could not start", "it could not be started"),
    (r"its work bypasses|its store was written", "it bypasses pika or sqlite3"),
    (r"files that judge it changed", "the judge's own files changed"),
    (r"the broker ended the check", "it makes the broker end the check"),
    (r"its check ended without", "the check itself failed"),
    (r"it has no function", "a function is missing"),
    (r"line \d+: ", "it has a syntax error"),
    (r"[\w.]+: ", "it ends with an error while it is loaded"),
)


@dataclass(frozen=True)
class Belief:
    """A misconception of a class: its learners, and the shortest story of what it breaks."""

    sentence: str
    learners: list[str]
    example: Broken


@dataclass(frozen=True)
class Other:
    """What kept learners from a requirement or a verdict, without a belief behind it."""

    words: str
    learners: list[str]


def write_csv(grades: Sequence[Grade], skipped: Sequence[Skipped], file: Path) -> None:
    """Write a row for each submission, then one for each reason why files are not judged.

    Columns: learner, lab, held, requirements (how many there are), a to h (1 holds, 0 broken,
    "not seen", empty for none), reasons, seconds, file. A row about files that are not judged has
    neither held nor seconds. A cell that a spreadsheet would take for a formula begins with an
    apostrophe.
    """
    columns = ["learner", "lab", "held", "requirements", *LETTERS, "reasons", "seconds", "file"]
    rows: list[list[object]] = []
    for grade in grades:
        lab, verdict, submission = load(grade.submission.lab), grade.verdict, grade.submission
        marks = [MARKS[verdict.state(key)] if key in lab.requirements else "" for key in LETTERS]
        row = [submission.learner, lab.number, held(grade), len(lab.requirements), *marks]
        rows.append([*row, reasons(lab, grade), f"{verdict.seconds:.1f}", submission.path.name])
    for one in skipped:
        nothing = [""] * (2 + len(LETTERS))
        reason = f"not judged: {one.reason}"
        rows.append([one.learner, one.lab or "", *nothing, reason, "", ", ".join(one.files)])
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    files.write(file, text.getvalue())


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def held(grade: Grade) -> int:
    """Return the number of requirements that hold."""
    return sum(grade.verdict.holds(key) for key in load(grade.submission.lab).requirements)


def reason(lab: Lab, broken: Broken) -> str:
    """Return the belief behind a broken requirement, or why there is none."""
    return NO_BELIEF.get(broken.misconception) or lab.belief(broken.misconception)


def unseen(verdict: Verdict) -> list[tuple[str, str]]:
    """Return the requirements that were not seen, as "b, c", with the reason that they share."""
    keys: dict[str, list[str]] = defaultdict(list)
    for finding in verdict.unseen:
        keys[finding.story].append(finding.requirement)
    return [(", ".join(letters), story) for story, letters in keys.items()]


def reasons(lab: Lab, grade: Grade) -> str:
    """Return the reasons for all that does not hold, in one line."""
    verdict = grade.verdict
    words = [verdict.unusable] if verdict.unusable else []
    words += [f"{finding.requirement}: {reason(lab, finding)}" for finding in verdict.broken]
    words += [f"{keys}: not seen, {story}" for keys, story in unseen(verdict)]
    return "; ".join(words)


def kind(unusable: str) -> str:
    """Return why a submission could not be judged, in words that many submissions share."""
    return next((words for begins, words in KINDS if re.match(begins, unusable)), "another reason")


def misconceptions(grades: Iterable[Grade]) -> list[Belief]:
    """Return the beliefs behind broken requirements with their learners, the commonest first.

    A learner counts once for a belief, even if it breaks several requirements.
    """
    found: dict[str, dict[str, list[Broken]]] = defaultdict(lambda: defaultdict(list))
    for grade in grades:
        lab = load(grade.submission.lab)
        for broken in grade.verdict.broken:
            if broken.misconception not in NO_BELIEF:
                sentence = lab.belief(broken.misconception)
                found[sentence][grade.submission.learner].append(broken)
    beliefs = [
        Belief(
            sentence,
            list(learners),
            min((one for all_of in learners.values() for one in all_of), key=_length),
        )
        for sentence, learners in found.items()
    ]
    return sorted(beliefs, key=lambda belief: (-len(belief.learners), belief.sentence))


def _length(broken: Broken) -> tuple[int, str]:
    return len(broken.story), broken.story


def others(grades: Iterable[Grade]) -> list[Other]:
    """Return what has no belief behind it, with its learners, the commonest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for grade in grades:
        verdict, learner = grade.verdict, grade.submission.learner
        names = {finding.misconception for finding in verdict.broken}
        if verdict.unusable:
            found[f"could not be judged: {kind(verdict.unusable)}"].append(learner)
            continue
        for name in sorted(names & set(NO_BELIEF)):
            found[NO_BELIEF[name]].append(learner)
        if len(verdict.unseen) == len(load(grade.submission.lab).requirements):
            starter = verdict.unseen[0].story.startswith("this is the starter")
            words = (
                "handed in the starter without a change" if starter else "nothing could be tried"
            )
            found[words].append(learner)
    listed_others = [Other(words, learners) for words, learners in found.items()]
    return sorted(listed_others, key=lambda other: (-len(other.learners), other.words))


def write_report(
    grades: Sequence[Grade], skipped: Sequence[Skipped], file: Path, *, notes: Sequence[str],
    practised: Mapping[str, Path],
) -> None:  # fmt: skip
    """Write the report: for each lab its misconceptions, requirements and learners; practice last.

    Args:
        grades: the grades of the class.
        skipped: all that is not judged.
        file: the HTML file; it needs no other file and no network.
        notes: sentences for the top, such as a missing sandbox.
        practised: by learner what was handed in of practice.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    graded = {grade.submission.learner for grade in grades}
    script = Path(__file__).with_name(SCRIPT).read_text(encoding="utf-8")
    text = environment.get_template(TEMPLATE).render(
        labs=[
            _of_lab([grade for grade in grades if grade.submission.lab == number], load(number))
            for number in sorted({grade.submission.lab for grade in grades})
        ],
        skipped=sorted(skipped, key=lambda one: one.learner in graded),
        missing=sorted({one.learner for one in skipped} - graded - {""}),
        aliases=_aliases(graded),
        notes=notes,
        practised=len(practised), points=lacking(practised), most_points=MOST_POINTS,
        date=datetime.now().strftime("%Y-%m-%d %H:%M"),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=style, held=held, reason=reason, unseen=unseen, listed=listed,
    )  # fmt: skip
    files.write(file, text)


def _of_lab(grades: Sequence[Grade], lab: Lab) -> dict[str, object]:
    return {
        "lab": lab,
        "rows": grades,
        "beliefs": misconceptions(grades),
        "others": others(grades),
        "states": {
            key: Counter(grade.verdict.state(key) for grade in grades) for key in lab.requirements
        },
        "all": sum(held(grade) == len(lab.requirements) for grade in grades),
    }


def _aliases(names: Iterable[str]) -> dict[str, str]:
    """Return a number for each learner that does not follow from the order of the names."""
    mixed = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    return {learner: f"learner {number}" for number, learner in enumerate(mixed, 1)}
