"""Run the committed notebooks and store their outputs, or compare their cards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers import services
from helpers.errors import UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT, notebooks
from helpers.stored import collecting
from helpers.suite.notebooks.cards import claim_ids, stored_claims, tags
from helpers.suite.notebooks.normal import normalise
from helpers.suite.notebooks.running import CELL_S, Run, read, run


@dataclass(frozen=True)
class Outcome:
    """The end of a notebook's line, and the lines below it, which explain a failure."""

    summary: str
    complaints: Sequence[str] = ()


Use = Callable[[Path, NotebookNode, Run], Outcome]


def find(names: Sequence[str] = (), *, root: Path = ROOT) -> list[Path]:
    """Return the notebooks with these names.

    Args:
        names: paths, or beginnings of file names such as "q09"; none means all.
        root: the checkout.

    Raises:
        UsageError: no notebook has that name.
    """
    every = list(notebooks(root).values())
    if not names:
        return every
    found: list[Path] = []
    for name in names:
        if name.endswith(".ipynb") and Path(name).is_file():
            matches = [Path(name)]
        else:
            matches = [path for path in every if path.name.startswith(name)] if name else []
        if not matches:
            known = ", ".join(path.stem for path in every) or "none yet"
            raise UsageError(f"there is no notebook {name!r}; there are: {known}")
        found += [path for path in matches if path not in found]
    return found


def run_each(paths: Sequence[Path], use: Use, *, timeout_s: float) -> bool:
    """Run notebooks one after the other, use each run, and print a line for each.

    Args:
        paths: notebook files.
        use: gets a notebook's path, the notebook as it is stored, and its run.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when there was no complaint about any run.
    """
    every_fine = True
    for path in paths:
        stored = read(path)
        result = run(path, timeout_s=timeout_s)
        outcome = use(path, stored, result)
        summary, absent = outcome.summary, skipped(stored, result)
        if outcome.complaints:
            every_fine = False
        elif absent:
            summary += f"; skipped: {', '.join(absent)}"
        print(f"{path.stem:<24} {result.wall_s:6.1f} s   {summary}", flush=True)
        for complaint in outcome.complaints:
            print("  " + complaint.replace("\n", "\n  "), flush=True)
    return every_fine


def refresh(paths: Sequence[Path], *, timeout_s: float = CELL_S) -> bool:
    """Run notebooks one after the other, and store their outputs.

    Each is written back in normal form, together with the results that are to be shown where a
    service is missing. If a cell failed, or could not check its claim, the notebook stays as it is
    and the cell or claim is printed with its numbers. Prints one line for each notebook.

    Args:
        paths: notebook files.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook was written.
    """
    every_fine = True
    for path in paths:
        with collecting() as keep_results:
            every_fine &= run_each([path], partial(_store, keep_results), timeout_s=timeout_s)
    return every_fine


def compare(paths: Sequence[Path], *, timeout_s: float = CELL_S) -> bool:
    """Run notebooks one after the other, compare their cards, and write nothing.

    Args:
        paths: notebook files.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook ran and gave the stored cards.
    """
    return run_each(paths, _compare, timeout_s=timeout_s)


def differences(stored: NotebookNode, result: Run) -> list[str]:
    """Return a run's problems; without any, where its cards differ from the stored ones.

    A cell tagged ``needs-…`` checks no claim when the service that it needs is absent.

    Args:
        stored: the notebook as it was before the run.
        result: its run.
    """
    if result.problems:
        return [str(problem) for problem in result.problems]
    before = {claim.id: claim.text for claim in stored_claims(stored)}
    now = {claim.id: claim.text for claim in result.passes[0]}
    for claim in skipped(stored, result):
        before.pop(claim, None)
    return [
        f"stored:\n{before.get(claim, 'nothing')}\nnow:\n{now.get(claim, 'nothing')}"
        for claim in sorted(before.keys() | now.keys())
        if before.get(claim) != now.get(claim)
    ]


def skipped(stored: NotebookNode, result: Run) -> list[str]:
    """Return the claims that a run did not check because a service that they need is absent."""
    now = {claim.id for claim in result.passes[0]}
    without = [cell for cell in stored.cells if services.missing(tags(cell))]
    return sorted({claim for cell in without for claim in claim_ids(cell)} - now)


def _compare(_: Path, stored: NotebookNode, result: Run) -> Outcome:
    if complaints := differences(stored, result):
        return Outcome("the stored notebook and this run differ", complaints)
    return Outcome(f"{len(result.passes[0])} claims as stored")


def _store(
    keep_results: Callable[[], None], path: Path, stored: NotebookNode, result: Run
) -> Outcome:
    complaints = [str(problem) for problem in result.problems] or [
        f"{claim} needs a service that is missing" for claim in skipped(stored, result)
    ]
    if complaints:
        return Outcome("failed, not written", complaints)
    _write(path, normalise(result.notebook))
    keep_results()
    return Outcome(f"{len(result.passes[0])} claims")


def _write(path: Path, nb: NotebookNode) -> None:
    files.write(path, nbformat.writes(nb) + "\n")
