"""Apply each sabotage to its notebook, run it, and count the claims that noticed."""

import importlib
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from helpers.suite.commands import NAMES
from helpers.suite.exits import like_ctrl_c
from helpers.suite.notebooks import find, stored_claims
from helpers.suite.notebooks.running import read
from tests.slow.sabotage.model import Outcome, Sabotage, SabotageError
from tests.slow.sabotage.running import JOBS, compare, lacking, side_by_side


def questions() -> list[str]:
    """Return the questions that have a notebook, such as "q02"."""
    return [path.name[:3] for path in find()]


def notebook_of(claim: str) -> Path:
    """Return the notebook that makes a claim."""
    paths = [path for path in find() if path.name.startswith(claim[:3] + "_")]
    if len(paths) != 1:
        raise SabotageError(f"{claim} has no notebook")
    return paths[0]


def sabotages_of(question: str) -> list[Sabotage]:
    """Return the list kept in ``tests/slow/sabotage/qNN.py``; it is empty when there is no file."""
    name = f"tests.slow.sabotage.{question}"
    try:
        return list(importlib.import_module(name).SABOTAGES)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return []


def all_sabotages() -> list[Sabotage]:
    """Return the sabotages of every notebook."""
    return [sabotage for question in questions() for sabotage in sabotages_of(question)]


def without_sabotage(claims: Sequence[str], sabotages: Sequence[Sabotage]) -> list[str]:
    """Return the claims that no sabotage tries to break."""
    tried = {sabotage.claim for sabotage in sabotages}
    return [claim for claim in claims if claim not in tried]


def judge(
    sabotage: Sabotage, path: Path, *, whole: bool = False, timeout_s: float = 60.0
) -> Outcome:
    """Run a sabotaged notebook and return whether exactly its claim failed.

    Args:
        sabotage: the change.
        path: the notebook; the file is not changed.
        whole: whether the cells run as well that the change cannot reach.
        timeout_s: time limit of each cell in seconds.
    """
    nb = read(path)
    if reason := lacking(nb, sabotage.claim):
        return Outcome(sabotage, "skipped", reason)
    if sabotage.claim not in {claim.id for claim in stored_claims(nb)}:
        return Outcome(sabotage, "broken", f"{path.name} stores no card of this claim")
    cell = None if whole else sabotage.cell
    try:
        return Outcome.of(sabotage, compare(path, sabotage.apply, cell=cell, timeout_s=timeout_s))
    except SabotageError as error:
        return Outcome(sabotage, "broken", str(error))


def report(
    sabotages: Sequence[Sabotage],
    missing: Sequence[str],
    *,
    notebook: Callable[[str], Path] = notebook_of,
    jobs: int = 1,
    whole: bool = False,
) -> int:
    """Judge sabotages, print a line for each, and the count.

    Args:
        sabotages: what to run.
        missing: claims without a sabotage.
        notebook: gives the notebook of a claim.
        jobs: how many notebooks run at once; one that measures rates always runs alone.
        whole: whether the cells run as well that a change cannot reach.

    Returns:
        Exit status: 0 when every sabotage was noticed by exactly its claim and none is missing.
    """
    killed = skipped = 0
    paths = {sabotage.claim: notebook(sabotage.claim) for sabotage in sabotages}
    work = [(each, paths[each.claim]) for each in sabotages]
    for outcome, seconds in side_by_side(partial(judge, whole=whole), work, jobs):
        killed += outcome.word == "killed"
        skipped += outcome.word == "skipped"
        claim, why = outcome.sabotage.claim, outcome.sabotage.why
        print(f"{claim:<6} {outcome.word:<10} {seconds:5.1f} s  {why}", flush=True)
        if outcome.detail:
            print("    " + outcome.detail.replace("\n", "\n    "), flush=True)
    for claim in missing:
        print(f"{claim}  has no sabotage", flush=True)
    tried = len(sabotages) - skipped
    note = f", {skipped} skipped" if skipped else ""
    print(f"{killed} / {tried + len(missing)} killed{note}", flush=True)
    return 0 if sabotages and killed == tried and not missing else 1


@click.command(epilog="NAME is a claim, such as q02.1, or a question, such as q02; none: all.")
@NAMES
@click.option("--whole", is_flag=True, help="Run the cells, too, that a change cannot reach.")
@like_ctrl_c(signal.SIGINT, signal.SIGTERM)
def command(names: Sequence[str], whole: bool) -> int:
    """Run the sabotages of the claims or questions with these names.

    Raises:
        SabotageError: a name is unknown.
    """
    claims = [claim.id for path in find() for claim in stored_claims(read(path))]
    for name in names:
        if not any(_is_chosen(claim, [name]) for claim in claims):
            raise SabotageError(f"no notebook makes the claim {name!r}")
    chosen = [sabotage for sabotage in all_sabotages() if _is_chosen(sabotage.claim, names)]
    missing = without_sabotage([claim for claim in claims if _is_chosen(claim, names)], chosen)
    return report(chosen, missing, jobs=JOBS, whole=whole)


def _is_chosen(claim: str, names: Sequence[str]) -> bool:
    return not names or claim in names or claim.partition(".")[0] in names
