"""Read the claims of a notebook from its code and its stored outputs."""

import ast
import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from helpers.errors import UsageError

CHECK_TAG = "nbval-check-output"
SURPRISE_TAG = "surprise"  # on the cell of the claim that readers expect least
CLAIM_LINE = re.compile(
    r"^(?P<id>q\d\d\.\d+) (?P<verdict>holds if [^:]+|holds|refuted): (?P<evidence>\S.*)$"
)


@dataclass(frozen=True)
class Claim:
    """A claim line that a cell printed: its id, its verdict and the whole line."""

    id: str
    verdict: str
    text: str

    @property
    def evidence(self) -> str:
        """The line's text after its verdict."""
        return self.text.removeprefix(f"{self.id} {self.verdict}: ")


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell, in their order."""
    return list(cell.metadata.get("tags", []))


def claim_ids(cell: NotebookNode) -> list[str]:
    """Return the ids of the claims that a cell's code checks.

    Args:
        cell: a cell of any type; code that is not plain Python has no claims.

    Returns:
        The first argument of every ``claims.check(...)``, in the order of the code.
    """
    return [str(call.args[0].value) for call in _checks(cell)]


def claim_sentences(cell: NotebookNode) -> dict[str, str]:
    """Return the sentences that a cell's code puts on trial.

    Args:
        cell: a cell of any type.

    Returns:
        Claim id to the second argument of its ``claims.check(...)``.

    Raises:
        UsageError: a sentence is not written out as a string.
    """
    sentences = {}
    for call in _checks(cell):
        sentence = call.args[1] if len(call.args) > 1 else None
        if not (isinstance(sentence, ast.Constant) and isinstance(sentence.value, str)):
            raise UsageError(f"{call.args[0].value}: the sentence must be written out as a string")
        sentences[str(call.args[0].value)] = sentence.value
    return sentences


def _checks(cell: NotebookNode) -> list[Any]:
    """Return the calls of ``claims.check`` with an id that is written out, in their order."""
    if cell.cell_type != "code":
        return []
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return [
        call
        for call in calls
        if ast.unparse(call.func) == "claims.check"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]


def printed(cell: NotebookNode) -> list[str]:
    """Return the lines that a cell has on standard output."""
    return [
        line
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
        for line in output.text.splitlines()
    ]


def cell_claims(cell: NotebookNode) -> list[Claim]:
    """Return the claim lines in the outputs of one cell, if it is tagged as a check."""
    if CHECK_TAG not in tags(cell):
        return []
    matches = [CLAIM_LINE.match(line) for line in printed(cell)]
    return [Claim(match["id"], match["verdict"], match[0]) for match in matches if match]


def claim_lines(nb: NotebookNode) -> list[Claim]:
    """Return the claim lines stored in a notebook.

    Args:
        nb: a notebook with outputs; only cells tagged ``nbval-check-output`` count.

    Returns:
        The claims in the order of the cells.
    """
    return [claim for cell in nb.cells for claim in cell_claims(cell)]
