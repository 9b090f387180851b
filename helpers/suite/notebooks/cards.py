"""Read the claims of a notebook from the code and the stored outputs of its cells."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from helpers.claims.card import without_here
from helpers.errors import UsageError

CHECK_TAG = "nbval-check-output"
RATES_TAG = "measures-rates"
SURPRISE_TAG = "surprise"  # on the cell of the claim that readers expect least
CARD = re.compile(
    r"(?P<id>q\d\d\.\d+) (?P<verdict>holds if .+|holds|refuted)\n“.+”\n"
    r"(?:  .*\n)+(?P<evidence>\S.*)"
)


@dataclass(frozen=True)
class Claim:
    """A claim's card that a cell showed: id, verdict, evidence, and the whole text."""

    id: str
    verdict: str
    evidence: str
    text: str  # without the numbers that differ from run to run

    @property
    def measured(self) -> list[tuple[str, str]]:
        """The set-up and the measured value of each row of the card."""
        lines = [line for line in self.text.splitlines() if line.startswith("  ")]
        cells = [[cell.strip() for cell in line.split(" | ")] for line in lines[1:]]
        return [(row[0], row[2]) for row in cells]


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell in their order."""
    return list(cell.metadata.get("tags", []))


def measures_rates(nb: NotebookNode) -> bool:
    """Return whether a notebook measures rates, so that it has to run alone.

    Args:
        nb: a notebook; its first cell has the tag then.
    """
    return bool(nb.cells) and RATES_TAG in tags(nb.cells[0])


def claim_ids(cell: NotebookNode) -> list[str]:
    """Return the ids of the claims that the code of a cell checks.

    Args:
        cell: a cell of any type; code that Python cannot parse has no claims.

    Returns:
        The first argument of every ``claims.check(...)``, in the order of the code.
    """
    return [str(call.args[0].value) for call in _checks(cell)]


def claim_sentences(cell: NotebookNode) -> dict[str, str]:
    """Return the sentences that the code of a cell checks.

    Args:
        cell: a cell of any type.

    Returns:
        Claim id to the second argument of its ``claims.check(...)``.

    Raises:
        UsageError: a sentence is not a literal string.
    """
    found = {}
    for call in _checks(cell):
        sentence = call.args[1] if len(call.args) > 1 else None
        if not (isinstance(sentence, ast.Constant) and isinstance(sentence.value, str)):
            raise UsageError(f"{call.args[0].value}: the sentence must be written out as a string")
        found[str(call.args[0].value)] = sentence.value
    return found


def _checks(cell: NotebookNode) -> list[Any]:
    """Return the calls of ``claims.check`` that have a literal id, in their order."""
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


def shown(cell: NotebookNode) -> list[str]:
    """Return the plain text of each object that a cell displayed, as it is stored."""
    return [
        output.data["text/plain"]
        for output in cell.get("outputs", [])
        if output.output_type == "display_data" and "text/plain" in output.data
    ]


def cell_claims(cell: NotebookNode) -> list[Claim]:
    """Return the cards in the outputs of a cell; none if the cell lacks the tag."""
    if CHECK_TAG not in tags(cell):
        return []
    return claims_of(without_here(text) for text in shown(cell))


def claims_of(texts: Iterable[str]) -> list[Claim]:
    """Return the claims in the texts of cards; what is no card is passed over."""
    found = map(CARD.fullmatch, texts)
    return [
        Claim(match["id"], match["verdict"], match["evidence"], match[0])
        for match in found
        if match
    ]


def stored_claims(nb: NotebookNode) -> list[Claim]:
    """Return the cards stored in a notebook.

    Args:
        nb: a notebook with outputs; only cells tagged ``nbval-check-output`` count.

    Returns:
        The claims in the order of the cells.
    """
    return [claim for cell in nb.cells for claim in cell_claims(cell)]
