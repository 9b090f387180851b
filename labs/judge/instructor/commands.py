"""The instructor's commands: proof, grade and handout."""

import argparse
import sys
from pathlib import Path
from typing import Any

from helpers import broker
from helpers.machine.paths import shown, work
from helpers.rabbitmq.model import credentials
from labs.judge.instructor import grading, handout, proof, report
from labs.judge.model import lab_number, numbers
from labs.judge.sandbox import bubblewrap


def add(commands: Any) -> None:
    """Add the instructor's commands to a parser's."""
    one = commands.add_parser("proof", help="judge the solutions whose verdicts are known")
    one.add_argument("labs", nargs="*", help="numbers; none takes all")
    one.add_argument("--times", type=int, default=1, help="judge each so often")
    one.add_argument("--jobs", type=int, default=proof.JOBS, help="so many at once")
    one.add_argument("--sample", action="store_true", help="a few of each lab")
    one.set_defaults(run=_proof)
    one = commands.add_parser("grade", help="judge a folder of submissions")
    one.add_argument("folder", type=Path, help="a file or a folder for each learner")
    one.add_argument("--lab", help="the lab of files that do not say it in their name")
    one.add_argument("--out", type=Path, help="folder for the grades; default work/grades")
    one.add_argument("--jobs", type=int, default=4, help="so many at once")
    one.add_argument("--seconds", type=float, default=60.0, help="time limit of each check")
    one.set_defaults(run=_grade)
    one = commands.add_parser("handout", help="write the student's version")
    one.add_argument("file", nargs="?", type=Path, help="default work/rabbit-lab-students.zip")
    one.set_defaults(run=_handout)


def _proof(options: argparse.Namespace) -> int:
    chosen = [lab_number(text) for text in options.labs] or numbers()
    outcomes = []
    for outcome in proof.prove(
        chosen, times=options.times, jobs=options.jobs, sample=options.sample
    ):
        outcomes.append(outcome)
        if not outcome.as_it_should:
            print(outcome, flush=True)
    print(proof.table(outcomes))
    return 0 if all(outcome.as_it_should for outcome in outcomes) else 1


def _grade(options: argparse.Namespace) -> int:
    lab = lab_number(options.lab) if options.lab else None
    found = grading.submissions(options.folder, lab)
    out = options.out or work() / "grades"
    notes = _sandbox_notes()
    for note in notes:
        print(note)
    grades = []
    try:
        for grade, kept in grading.grade(
            found, out / "verdicts", jobs=options.jobs, seconds=options.seconds
        ):
            grades.append(grade)
            print(f"{len(grades):3} of {len(found)}  {_line(grade)}{' (kept)' if kept else ''}")
            sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"interrupted: {len(grades)} are kept; the same command goes on from here")
        return 130
    report.write_csv(grades, out / "grades.csv")
    report.write_report(grades, out / "report.html", notes=notes)
    print(f"{shown(out / 'grades.csv')} and {shown(out / 'report.html')} are written")
    return 0


def _line(grade: grading.Grade) -> str:
    verdict, submission = grade.verdict, grade.submission
    what = "could not be judged" if verdict.unusable else f"{report.held(grade)} hold"
    return f"{submission.learner}, lab {submission.lab}: {what}, {verdict.seconds:.0f} s"


def _sandbox_notes() -> list[str]:
    """Return what an instructor has to know about the sandbox of submissions."""
    notes = []
    if bubblewrap.program() is None:
        notes.append(
            "There is no bubblewrap here (Debian: apt-get install bubblewrap): submissions run with"
            " limits of time, memory and output, but can read and change your files."
        )
    if credentials(broker.find().amqp_url) == ("guest", "guest"):
        notes.append(
            "The broker's administrator is guest with the default password, which a submission"
            " could use: grade submissions that you don't trust on a broker with another one."
        )
    return notes


def _handout(options: argparse.Namespace) -> int:
    file = options.file or work() / "rabbit-lab-students.zip"
    print(f"{shown(file)} is written: {handout.write(file)} files")
    return 0
