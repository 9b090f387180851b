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
    def as_sentence(text: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as x-death."""
    match = PLAIN_WORD.match(text)
    return text[0].upper() + text[1:] if match else text


def escape(text: str) -> str:
    """Escape plain text for a cell of a Markdown table, where it is shown letter for letter."""
    return SPECIAL.sub(r"\\\1", text)


def _place(claim: str) -> tuple[int, ...]:
    return tuple(int(part) for part in claim.removeprefix("q").split("."))
