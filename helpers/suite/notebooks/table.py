"""Read the rows of the tables of verdicts from a stored notebook."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite.notebooks.cards import (
    SURPRISE_TAG,
    Claim,
    cell_claims,
    claim_sentences,
    tags,
)

SPECIAL = re.compile(r"([\\`*_<>|~$]|\](?=\())")
PLAIN_WORD = re.compile(r"(?!x-)[a-z][a-z/-]*(?=[\s:,])")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A claim with its sentence, and where in the notebook it is checked."""

    claim: Claim
    sentence: str
    heading: str
    cell: str
    surprising: bool  # its cell is tagged as the claim that readers expect least


def rows(nb: NotebookNode) -> list[Row]:
    """Return the claims stored in a notebook, in the order of their ids.

    Args:
        nb: a notebook with outputs.

    Raises:
        UsageError: a stored claim has no ``claims.check`` with its sentence in the same cell.
    """
    table, heading = [], ""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{2,3} (.+?)\s*$", FENCED.sub("", cell.source), re.MULTILINE)
            heading = headings[-1] if headings else heading
        for claim in cell_claims(cell):
            sentence = claim_sentences(cell).get(claim.id)
            if sentence is None:
                raise UsageError(f"{claim.id} is not checked in the cell {cell.id} that shows it")
            surprising = SURPRISE_TAG in tags(cell)
            table.append(Row(claim, sentence, heading, cell.id, surprising))
    return sorted(table, key=lambda row: _place(row.claim.id))


def as_sentence(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as x-death."""
    match = PLAIN_WORD.match(text)
    return text[0].upper() + text[1:] if match else text


def escape(text: str) -> str:
    """Escape plain text for a cell of a Markdown table, where it is shown letter for letter."""
    return SPECIAL.sub(r"\\\1", text)


def _place(claim: str) -> tuple[int, ...]:
    return tuple(int(part) for part in claim.removeprefix("q").split("."))
