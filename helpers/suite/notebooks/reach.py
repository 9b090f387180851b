"""Keep only the cells that one cell needs, or that a change of it can reach.

Cells share nothing but names: each experiment begins with an empty virtual host, and `make twice`
proves that their order does not matter. So a claim can fail because of a change only if its cell
uses, directly or through other cells, a name that the changed cell defines or may change.
"""

import ast
import symtable
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.suite.notebooks.cards import CHECK_TAG, tags


@dataclass(frozen=True)
class Names:
    """The names of a cell outside of its functions."""

    constants: frozenset[str]  # imports, functions and classes
    values: frozenset[str]  # what is assigned
    used: frozenset[str]  # all that it mentions, in its functions as well


def keep_within_reach(nb: NotebookNode, changed: str) -> list[NotebookNode]:
    """Remove the code cells that a change cannot reach, unless cells within reach need them.

    Args:
        nb: the notebook, which is changed.
        changed: id of the changed cell.

    Returns:
        The removed cells.
    """
    return _keep(nb, changed, later=True)


def keep_what_it_needs(nb: NotebookNode, wanted: str) -> None:
    """Remove all code cells but one and those without which it cannot run.

    Args:
        nb: the notebook, which is changed.
        wanted: id of the cell.
    """
    _keep(nb, wanted, later=False)


def _keep(nb: NotebookNode, cell_id: str, *, later: bool) -> list[NotebookNode]:
    cells = [cell for cell in nb.cells if cell.cell_type == "code"]
    names = [_names(cell) for cell in cells]
    values = frozenset().union(*(each.values for each in names))
    first = next(number for number, cell in enumerate(cells) if cell.id == cell_id)
    # What mentions a value may change it, as `list.append` does; the check of a claim only reads.
    given = [
        each.constants | each.values | (set() if CHECK_TAG in tags(cell) else each.used & values)
        for cell, each in zip(cells, names, strict=True)
    ]
    kept = {first}
    reached = given[first]
    for number in range(first + 1, len(cells)) if later else ():
        if names[number].used & reached:
            kept.add(number)
            reached |= given[number]
    needed = frozenset().union(*(names[number].used for number in kept))
    for number in reversed(range(max(kept))):
        if number not in kept and given[number] & needed:
            kept.add(number)
            needed |= names[number].used
    removed = [cell for number, cell in enumerate(cells) if number not in kept]
    nb.cells = [cell for cell in nb.cells if cell not in removed]
    return removed


def leave_out_figures(nb: NotebookNode) -> None:
    """Take out the statements that only call a function of ``plots``: no claim needs a figure."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.source = _without_figures(cell.source)


def _without_figures(source: str) -> str:
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # which is for the run to report
        return source
    lines: list[str] = source.splitlines()
    for each in statements:
        if isinstance(each, ast.Expr) and ast.unparse(each).startswith("plots."):
            last = each.end_lineno or each.lineno
            lines[each.lineno - 1 : last] = [""] * (last - each.lineno + 1)
    return "\n".join(lines)


def _names(cell: NotebookNode) -> Names:
    table = symtable.symtable(cell.source, cell.id, "exec")
    symbols = table.get_symbols()
    constants = {each.get_name() for each in symbols if each.is_imported() or each.is_namespace()}
    values = {each.get_name() for each in symbols if each.is_assigned()} - constants
    used = {each.get_name() for each in symbols}
    tables = list(table.get_children())
    while tables:
        inner = tables.pop()
        used |= {each.get_name() for each in inner.get_symbols() if each.is_global()}
        tables += inner.get_children()
    return Names(frozenset(constants), frozenset(values), frozenset(used))
