"""Say in words what a figure shows, for those who cannot see it."""

import ast
import inspect
import re
from collections.abc import Mapping

from nbformat import NotebookNode

from helpers import plots
from helpers.suite.notebooks.cards import cell_claims
from helpers.suite.notebooks.table import FENCED

HEADING = re.compile(r"^#{2,3} ", re.MULTILINE)


def alternatives(nb: NotebookNode) -> Mapping[str, str]:
    """Return the alternative text of the figures of each cell that draws some.

    Args:
        nb: a notebook with its outputs.

    Returns:
        Cell id to what the figure draws, and what its section measured.
    """
    found = {}
    for at, cell in enumerate(nb.cells):
        if drawn := _drawn(cell):
            found[cell.id] = " ".join([f"Figure: {drawn}", *_measured(nb.cells[at + 1 :])])
    return found


def _drawn(cell: NotebookNode) -> str:
    """Return what the function says that draws the figure; "" if the cell has none."""
    if not any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
        return ""
    calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
    names = (ast.unparse(call.func).partition("plots.") for call in calls)
    name = next(name for before, found, name in names if found and not before)
    first = (inspect.getdoc(getattr(plots, name)) or "").partition("\n")[0]
    return first.removeprefix("Draw ").removeprefix("the ").replace("`", "")


def _measured(after: list[NotebookNode]) -> list[str]:
    """Return the evidence of the first claims after a figure, in its section."""
    for cell in after:
        if cell.cell_type == "markdown" and HEADING.search(FENCED.sub("", cell.source)):
            break
        if claims := cell_claims(cell):
            return [f"{claim.id}: {claim.evidence}" for claim in claims]
    return []
