"""Run a notebook for each of its mutants, and list those that nothing noticed."""

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from helpers.suite.commands import NAMES, NOTEBOOKS
from helpers.suite.exits import like_ctrl_c
from helpers.suite.notebooks import find
from helpers.suite.notebooks.running import read
from tests.slow.mutants.model import (
    Key,
    Mutant,
    Outcome,
    mutants_of,
    read_reasons,
    without_mutant,
)
from tests.slow.sabotage.running import JOBS, compare, side_by_side

WORDS = ("noticed", "explained", "unnoticed", "skipped")


def judge(
    mutant: Mutant, path: Path, *, reasons: Mapping[Key, str], timeout_s: float = 60.0
) -> Outcome:
    """Run a mutant of a notebook and return whether anything noticed.

    Args:
        mutant: the change.
        path: the notebook; the file is not changed.
        reasons: why some mutants rightly change nothing.
        timeout_s: time limit of each cell in seconds; a cell that hangs fails by it.
    """
    ran = compare(path, mutant.apply, cell=mutant.cell, timeout_s=timeout_s)
    return Outcome.of(mutant, ran, reasons.get(mutant.key, ""))


def unchanged(name: str, path: Path, *, timeout_s: float = 60.0) -> list[str]:
    """Run a notebook without a change; return what differs, which no mutant could be told from."""
    ran = compare(path, lambda nb: None, cell=None, timeout_s=timeout_s)
    failed = [str(problem) for problem in ran.problems]
    return failed or [f"{name}: another card than the stored one: {c}" for c in sorted(ran.changed)]


def report(
    notebooks: Mapping[str, Path], reasons: Mapping[Key, str], *, jobs: int, timeout_s: float = 60.0
) -> int:
    """Judge all mutants of notebooks, print a line for each, those without a reason, and the count.

    Args:
        notebooks: their names, such as "q02", and files.
        reasons: why some mutants rightly change nothing.
        jobs: how many notebooks run at once; one that measures rates always runs alone.
        timeout_s: time limit of each cell in seconds.

    Returns:
        Exit status: 1 when a mutant was unnoticed without a reason, a reason belongs to no mutant,
        or a notebook differs from its stored cards without any change; else 0.
    """
    fine = True
    control = partial(unchanged, timeout_s=timeout_s)
    for complaints, _ in side_by_side(control, list(notebooks.items()), jobs):
        for complaint in complaints:
            print(f"without any change: {complaint}", flush=True)
            fine = False
    if not fine:
        return 1
    mutants = all_mutants(notebooks)
    found: list[Outcome] = []
    try_one = partial(judge, reasons=reasons, timeout_s=timeout_s)
    work = [(mutant, notebooks[mutant.notebook]) for mutant in mutants]
    for outcome, seconds in side_by_side(try_one, work, jobs):
        found.append(outcome)
        print(f"{outcome.word:<10} {seconds:5.1f} s  {outcome.mutant}", flush=True)
        print(f"    {outcome.detail}", flush=True)
    found.sort(key=lambda outcome: mutants.index(outcome.mutant))
    return conclude(found, without_mutant(reasons, mutants))


def conclude(found: Sequence[Outcome], stale: Sequence[Key]) -> int:
    """Print the mutants without a reason, the reasons without a mutant, and the count.

    Args:
        found: the outcome of each mutant.
        stale: the reasons that belong to no mutant any more.

    Returns:
        Exit status, as `report` has it.
    """
    unnoticed = [outcome for outcome in found if outcome.word == "unnoticed"]
    for outcome in unnoticed:
        print(f"no claim noticed: {outcome.mutant}\n    {outcome.mutant.code}")
    print_stale(stale)
    count = Counter(outcome.word for outcome in found)
    limited = sum(outcome.by_time_limit for outcome in found)
    parts = [f"{count[word]} {word}" for word in WORDS if count[word]]
    if limited:
        parts.append(f"{limited} of the noticed ones by a cell's time limit")
    print(f"{len(found)} mutants: {', '.join(parts) or 'none'}", flush=True)
    return 1 if unnoticed or stale else 0


def show(notebooks: Mapping[str, Path], reasons: Mapping[Key, str]) -> int:
    """Print all mutants of notebooks and their number, and run nothing.

    Args:
        notebooks: their names, such as "q02", and files.
        reasons: why some mutants rightly change nothing.

    Returns:
        Exit status: 1 when a reason belongs to no mutant.
    """
    mutants = all_mutants(notebooks)
    for mutant in mutants:
        print(mutant)
        if reason := reasons.get(mutant.key):
            print(f"    changes nothing: {reason}")
    stale = without_mutant(reasons, mutants)
    print_stale(stale)
    count = Counter(mutant.notebook for mutant in mutants)
    for name in notebooks:
        print(f"{name}  {count[name]} mutants")
    return 1 if stale else 0


def all_mutants(notebooks: Mapping[str, Path]) -> list[Mutant]:
    """Return the mutants of notebooks, given as names and files, in their order."""
    return [m for name, path in notebooks.items() for m in mutants_of(read(path), name)]


def print_stale(stale: Sequence[Key]) -> None:
    """Print the reasons that belong to no mutant any more."""
    for notebook, cell, code, nth in stale:
        which = f" ({nth})" if nth > 1 else ""
        print(f"a reason belongs to no mutant any more: {notebook}  {cell}  {code}{which}")


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option("--list", "listed", is_flag=True, help="Only list them, and run nothing.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=JOBS, show_default=True, metavar="N",
    help="How many notebooks run at once.",
)  # fmt: skip
@like_ctrl_c(signal.SIGINT, signal.SIGTERM)
def command(names: Sequence[str], listed: bool, jobs: int) -> int:
    """Run the mutants of notebooks.

    Raises:
        UsageError: no notebook has that name, or the file of reasons has another form.
    """
    notebooks = {path.name[:3]: path for path in find(names)}
    others = {path.name[:3] for path in find()} - notebooks.keys()
    reasons = {key: reason for key, reason in read_reasons().items() if key[0] not in others}
    return show(notebooks, reasons) if listed else report(notebooks, reasons, jobs=jobs)
