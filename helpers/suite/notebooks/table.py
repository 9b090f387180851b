"""Read the rows of the tables of verdicts from a stored notebook."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite.notebooks.claimlines import (
    SURPRISE_TAG,
    Claim,
    cell_claims,
    claim_sentences,
    tags,
)

BRIEF = 90  # characters of evidence that a reader takes in at a glance
# In the text of a case: it contradicts the sentence, or it differs between generations.
CONTRAST = re.compile(r", not | on \d+\.\d+")
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

    @property
    def brief(self) -> str:
        """The evidence in a few words: the first case, and one that contradicts it."""
        return brief(self.claim)


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


def brief(claim: Claim) -> str:
    """Return the evidence of a claim in a few words.

    Args:
        claim: a claim line; its cases stand between semicolons.

    Returns:
        The first case; if the claim holds under a condition, also the first case that
        contradicts it; further cases while they are short; "…" when some are left out.
    """
    cases = claim.evidence.split("; ")
    chosen = [0]
    if claim.verdict.startswith("holds if") and len(cases) > 1:
        contrary = (n for n, case in enumerate(cases) if n and CONTRAST.search(case))
        chosen.append(next(contrary, 1))
    for number in range(1, len(cases)):
        wanted = sorted({*chosen, number})
        if len("; ".join(cases[n] for n in wanted)) > BRIEF:
            break
        chosen = wanted
    text = "; ".join(cases[n] for n in sorted(chosen))
    return text if len(chosen) == len(cases) else f"{text}; …"


def as_sentence(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as x-death."""
    match = PLAIN_WORD.match(text)
    return text[0].upper() + text[1:] if match else text


def escape(text: str) -> str:
    """Escape plain text for a cell of a Markdown table, where it is shown letter for letter."""
    return SPECIAL.sub(r"\\\1", text)


def _place(claim: str) -> tuple[int, ...]:
    return tuple(int(part) for part in claim.removeprefix("q").split("."))
