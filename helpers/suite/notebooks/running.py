"""Run a notebook in a kernel of this Python, once or with repeated cells."""

import logging
import os
import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.machine.paths import for_figures
from helpers.suite.notebooks.cards import CHECK_TAG, Claim, cell_claims, claim_ids, tags
from helpers.suite.notebooks.sockets import own_sockets

EXPERIMENT_TAG = "experiment"
CELL_S = 120.0  # time limit of a cell; on a quiet machine the longest one takes a fifth of it
Order = Literal["once", "twice"]
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Problem:
    """A failure in a cell: an exception, a time limit or the end of the kernel."""

    cell: str
    claims: tuple[str, ...]
    name: str
    text: str

    def __str__(self) -> str:
        return f"{', '.join(self.claims) or 'cell'} ({self.cell}): {self.name}: {self.text}"


@dataclass(frozen=True, repr=False)
class Run:
    """A notebook after a run: its new outputs, the cards of each pass, the problems."""

    notebook: NotebookNode
    passes: tuple[tuple[Claim, ...], ...]
    problems: tuple[Problem, ...]
    wall_s: float

    def __repr__(self) -> str:
        claims = [len(claims) for claims in self.passes]
        return f"Run(claims={claims}, problems={len(self.problems)}, wall_s={self.wall_s:.1f})"


class _ThisPython(KernelSpecManager):
    """Resolve every kernel name to the Python that runs this code, whatever is installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def read(path: Path | str) -> NotebookNode:
    """Read a notebook file.

    Args:
        path: an ``.ipynb`` file.

    Raises:
        UsageError: there is no such file, or it is not a notebook.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't read the notebook {path}: {error.strerror}") from error
    try:
        return nbformat.reads(text, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError) as error:
        raise UsageError(f"{path} is not a notebook") from error


def run(
    path: Path | str,
    *,
    order: Order = "once",
    timeout_s: float = CELL_S,
    edit: Callable[[NotebookNode], None] | None = None,
) -> Run:
    """Run a notebook from top to bottom in a fresh kernel; the file is not changed.

    The run continues after a failing claim cell and stops at any other failing cell. The kernel
    is asked to end, so that its clean-up runs.

    Args:
        path: an ``.ipynb`` file; cells run in its folder.
        order: "once"; or "twice": every cell twice in a row, then the experiments and claims
            again, from the last section to the first.
        timeout_s: time limit of each cell in seconds.
        edit: function that changes the notebook in memory before the run.

    Returns:
        A Run. "once" has one pass; "twice" has three: first runs, second runs, and the repeated
        experiments.

    Raises:
        UsageError: the file is not a notebook, or the order is unknown.
    """
    if order not in get_args(Order):
        raise UsageError(f'order must be "once" or "twice", not {order!r}')
    nb = read(path)
    if edit is not None:
        edit(nb)
    for cell in _code(nb):
        cell.outputs, cell.execution_count = [], None
    plan = [_code(nb)] if order == "once" else [_code(nb), _code(nb), _from_last_to_first(nb)]
    steps = [(0, cell) for cell in plan[0]]
    if order == "twice":
        steps = [(number, cell) for cell in plan[0] for number in (0, 1)]
        steps += [(2, cell) for cell in plan[2]]

    passes: tuple[list[Claim], ...] = tuple([] for _ in plan)
    problems: list[Problem] = []
    start = time.monotonic()
    client = _client(nb, Path(path).resolve().parent, timeout_s)
    # Output of child processes is in the cell already; without this it would appear here, too.
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with client.setup_kernel(env=_environment(), cleanup_kc=True, **silent):
        for number, cell in steps:
            problem = _execute(client, cell, timeout_s)
            if problem is None:
                passes[number].extend(cell_claims(cell))
                continue
            problems.append(problem)
            if not problem.claims or problem.name in ("TimeLimit", "DeadKernel"):
                break
    wall_s = time.monotonic() - start
    return Run(nb, tuple(tuple(claims) for claims in passes), tuple(problems), wall_s)


def _client(nb: NotebookNode, folder: Path, timeout_s: float) -> NotebookClient:
    quiet = logging.getLogger("helpers.suite.notebooks")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    return NotebookClient(
        nb,
        km=AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=_ThisPython(),
            shutdown_wait_time=10.0,
            **own_sockets(),
        ),
        timeout=timeout_s,
        # `_execute` reads errors from the outputs: with stop_on_error the kernel may silently skip
        # the request after an error.
        allow_errors=True,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        log=quiet,
    )


def _environment() -> dict[str, str]:
    """Return the environment of the kernel: a fixed order of sets, and figures drawn inline."""
    # With PYTEST_CURRENT_TEST, ipykernel drops the output of child processes.
    dropped = ("MPLBACKEND", "PYTEST_CURRENT_TEST")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **for_figures(), "PYTHONHASHSEED": "0"}


def _execute(client: NotebookClient, cell: NotebookNode, timeout_s: float) -> Problem | None:
    claims = tuple(claim_ids(cell)) if CHECK_TAG in tags(cell) else ()
    try:
        client.execute_cell(cell, client.nb.cells.index(cell))
    except DeadKernelError:
        return Problem(cell.id, claims, "DeadKernel", "the kernel died while this cell ran")
    except CellTimeoutError:
        # The kernel is busy with the cell: its clean-up can only run after an interrupt.
        manager: Any = client.km
        run_sync(manager.interrupt_kernel)()
        limit = f"this cell took more than its {timeout_s:g} s"
        return Problem(cell.id, claims, "TimeLimit", limit)
    for output in cell.outputs:
        if output.output_type == "error":
            return Problem(cell.id, claims, output.ename, ANSI_COLOUR.sub("", output.evalue))
    return None


def _code(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if cell.cell_type == "code" and cell.source.strip()]


def _from_last_to_first(nb: NotebookNode) -> list[NotebookNode]:
    """Return the cells of experiments and claims, from the last section to the first."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in nb.cells:
        if cell.cell_type == "markdown" and re.search(r"^#{2,3} ", cell.source, re.MULTILINE):
            sections.append([])
        elif {EXPERIMENT_TAG, CHECK_TAG} & set(tags(cell)):
            sections[-1].append(cell)
    return [cell for section in reversed(sections) for cell in section]
