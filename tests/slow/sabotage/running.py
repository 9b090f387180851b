"""Run changed notebooks, several at a time, and tell what differs from their stored cards."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TypeVar

from nbformat import NotebookNode

from helpers import services
from helpers.suite.notebooks import Problem, claim_ids, run, stored_claims
from helpers.suite.notebooks.cards import measures_rates, tags
from helpers.suite.notebooks.reach import keep_within_reach, leave_out_figures
from helpers.suite.notebooks.running import read

JOBS = 5  # they mostly wait, so that two cores carry five
INTERRUPTED = threading.Event()  # in a process of the pool, after Ctrl-C
Change = TypeVar("Change")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Comparison:
    """A changed notebook after its run: the claims whose cards differ, and the failed cells.

    ``lacking`` has a sentence for each claim within reach of the change that was not compared
    because a service is missing.
    """

    changed: frozenset[str]
    problems: tuple[Problem, ...]
    lacking: dict[str, str]


def compare(
    path: Path,
    change: Callable[[NotebookNode], None],
    *,
    cell: str | None,
    timeout_s: float = 60.0,
) -> Comparison:
    """Run a changed notebook without its figures, and compare its cards with the stored ones.

    Args:
        path: the notebook; the file is not changed.
        change: changes the notebook in memory; what it raises is raised.
        cell: id of the changed cell, so that only cells run which the change can reach; None: all.
        timeout_s: time limit of each cell in seconds.
    """
    nb = read(path)
    before = {claim.id: claim.text for claim in stored_claims(nb)}
    lacks = {claim: reason for claim in before if (reason := lacking(nb, claim))}
    beyond: set[str] = set()

    def edit(nb: NotebookNode) -> None:
        change(nb)
        leave_out_figures(nb)
        removed = [] if cell is None else keep_within_reach(nb, cell)
        beyond.update(claim for each in removed for claim in claim_ids(each))

    result = run(path, edit=edit, timeout_s=timeout_s)
    after = {claim.id: claim.text for claim in result.passes[0]}
    compared = (before | after).keys() - lacks.keys() - beyond
    return Comparison(
        frozenset(claim for claim in compared if before.get(claim) != after.get(claim)),
        result.problems,
        {claim: reason for claim, reason in lacks.items() if claim not in beyond},
    )


def lacking(nb: NotebookNode, claim: str) -> str | None:
    """Return the sentence about a missing service that the claim's cell needs, or None."""
    missing = (services.missing(tags(cell)) for cell in nb.cells if claim in claim_ids(cell))
    return next(filter(None, missing), None)


def side_by_side(
    judge: Callable[[Change, Path], Outcome], work: Sequence[tuple[Change, Path]], jobs: int
) -> Iterator[tuple[Outcome, float]]:
    """Judge changes, and yield each outcome with its seconds, in the order in which they end.

    Args:
        judge: runs a changed notebook; the processes of the pool import it.
        work: changes with their notebooks.
        jobs: how many notebooks run at once; one that measures rates always runs alone.
    """
    notebooks = {path: read(path) for path in {path for _, path in work}}
    rated = {path for path, nb in notebooks.items() if jobs == 1 or measures_rates(nb)}
    alone = [each for each in work if each[1] in rated]
    together = [each for each in work if each[1] not in rated]
    if together:
        # Long notebooks first, so that none is left at the end.
        together.sort(key=lambda each: -len(notebooks[each[1]].cells))
        with ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=_end_quietly_at_ctrl_c
        ) as pool:
            running = [pool.submit(_timed, judge, change, path) for change, path in together]
            try:
                yield from (job.result() for job in as_completed(running))
            except BaseException:  # after Ctrl-C or SIGTERM, which only this process may have got
                for pid in filter(None, (process.pid for process in active_children())):
                    os.kill(pid, signal.SIGINT)
                pool.shutdown(cancel_futures=True)
                raise
    for each in alone:
        yield _timed(judge, *each)


def _end_quietly_at_ctrl_c() -> None:
    def end(*_: object) -> None:
        INTERRUPTED.set()
        sys.exit(130)  # runs the clean-up like KeyboardInterrupt, but prints no traceback

    signal.signal(signal.SIGINT, end)


def _timed(
    judge: Callable[[Change, Path], Outcome], change: Change, path: Path
) -> tuple[Outcome, float]:
    if INTERRUPTED.is_set():  # work that the pool had already handed to this process
        sys.exit(130)
    start = time.monotonic()
    return judge(change, path), time.monotonic() - start
