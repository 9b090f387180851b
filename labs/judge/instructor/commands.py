"""The instructor's commands: prove the checks, grade a class, write the students' version."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from helpers import broker
from helpers.errors import UsageError
from helpers.machine import docker
from helpers.machine.paths import shown, work
from helpers.rabbitmq.model import credentials
from labs.judge import checking
from labs.judge.commands import SECONDS
from labs.judge.instructor import collecting, grading, handout, proof, report
from labs.judge.model import lab_number, load, numbers
from labs.judge.sandbox import bubblewrap

JOBS = "How many checks run at once."


@click.command(epilog="LAB is a number; none: all.")
@click.argument("labs", metavar="[LAB]...", nargs=-1)
@click.option("--times", type=int, default=1, help="How often to judge each.", show_default=True)
@click.option("--jobs", type=int, default=proof.JOBS, help=JOBS, show_default=True)
@click.option("--correct", is_flag=True, help="Only those that have to be accepted.")
def prove(labs: Sequence[str], times: int, jobs: int, correct: bool) -> int:
    """Judge the solutions with known verdicts; 1 when a verdict differs."""
    chosen = [lab_number(text) for text in labs] or numbers()
    outcomes = []
    for outcome in proof.prove(chosen, times=times, jobs=jobs, only_correct=correct):
        outcomes.append(outcome)
        if not outcome.as_it_should:
            print(outcome, flush=True)
    print(proof.table(outcomes))
    return 0 if all(outcome.as_it_should for outcome in outcomes) else 1


@click.command(epilog="DIR has a file or a folder for each learner: Python files or notebooks.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--lab", "number", help="The lab of files that do not have it in their name.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the grades; default work/grades."
)
@click.option("--jobs", type=int, default=grading.JOBS, help=f"{JOBS}  [default: 5 for each core]")
@click.option("--without-sandbox", is_flag=True, help="Judge even where bubblewrap cannot start.")
@SECONDS
def grade(
    *, folder: Path, number: str | None, out: Path | None, jobs: int, without_sandbox: bool,
    seconds: float,
) -> int:  # fmt: skip
    """Judge a class and write its grades; 130 after Ctrl-C, with finished verdicts stored."""
    lab = lab_number(number) if number else None
    found, skipped = collecting.collect(folder, lab)
    out = out or work() / "grades"
    notes = [*_sandbox_notes(without_sandbox), *_broker_notes()]
    for note in notes:
        print(note)
    for left in skipped:
        print(f"not judged  {left}")
    grades = []
    checks = grading.grade(
        found, out / "verdicts", jobs=jobs, seconds=seconds, sandboxed=not without_sandbox
    )
    try:
        with closing(checks):  # at an interrupt no further check begins
            for one, kept in checks:
                grades.append(one)
                print(f"{len(grades):3} of {len(found)}  {_line(one)}{' (kept)' if kept else ''}")
                sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"interrupted: {len(grades)} are kept; the same command goes on from here")
        return 130
    report.write_csv(grades, skipped, out / "grades.csv")
    report.write_report(
        grades, skipped, out / "report.html", notes=notes, practised=collecting.practised(folder)
    )
    print(f"{shown(out / 'grades.csv')} and {shown(out / 'report.html')} are written")
    return 0


@click.command
@click.argument("file", required=False, type=click.Path(path_type=Path))
def write_handout(file: Path | None) -> int:
    """Write the students' version; by default to work/rabbit-lab-students.zip."""
    file, book = file or work() / "rabbit-lab-students.zip", work() / "book"
    why = handout.why_no_book(book)
    count = handout.write(file, book=None if why else book)
    print(f"{shown(file)} is written: {count} files")
    print(f"without the book: {why}; `make book` builds it" if why else f"with {shown(book)}")
    return 0


def _line(grade: grading.Grade) -> str:
    verdict, submission = grade.verdict, grade.submission
    what = checking.score(load(submission.lab), verdict)
    if verdict.unusable:
        what = f"could not be judged ({report.kind(verdict.unusable)})"
    return f"{submission.learner}, lab {submission.lab}: {what}, {verdict.seconds:.0f} s"


def _sandbox_notes(without: bool) -> list[str]:
    """Return what an instructor has to know about the sandbox of submissions.

    Raises:
        UsageError: bubblewrap is installed and cannot start, and `without` is false.
    """
    limits = "submissions run with limits of time, memory and output, but can read and change your"
    if without:
        return [f"As --without-sandbox says, {limits} files."]
    why = bubblewrap.why_not()
    if why and bubblewrap.program() is not None:
        raise UsageError(
            f"{why}; grade on a machine where it can, or without a sandbox: ARGS=--without-sandbox"
        )
    return [f"{why[0].upper()}{why[1:]}: {limits} files."] if why else []


def _broker_notes() -> list[str]:
    """Return what an instructor has to know about the broker that submissions use."""
    name, password = credentials(broker.find().amqp_url)
    if f"{name}:{password}" not in ("guest:guest", docker.LOGIN):
        return []
    return [
        f"The broker's administrator is {name} with a password that everybody knows, which a"
        " submission could use: grade submissions that you don't trust on a broker with another"
        " one."
    ]
