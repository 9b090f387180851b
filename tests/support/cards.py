"""Cards for notebooks that are made by hand."""

from nbformat import NotebookNode, v4

from helpers.claims.card import Card, Row
from helpers.suite.notebooks import CHECK_TAG, Claim
from helpers.suite.notebooks.cards import cell_claims

SENTENCE = "each message goes to one consumer"


def card(
    claim: str = "q02.1", copies: int = 40, *, said: str = "holds", rows: tuple[Row, ...] = ()
) -> Card:
    """Return a card with one row, the copies, unless there are other rows."""
    outcome = "✓ as said" if copies == 40 else "✗ not so"
    counted = Row("one queue", "40 copies", f"{copies} copies", outcome)
    return Card(claim, SENTENCE, said, rows or (counted,), f"One queue gave {copies} copies.")


def shown(card: Card) -> NotebookNode:
    """Return the output of a cell that shows a card, as a kernel sends it."""
    data = {"text/plain": repr(card), "text/html": card._repr_html_()}
    return v4.new_output("display_data", data=data)


def claim_of(card: Card) -> Claim:
    """Return the claim that is read from a cell that shows a card."""
    cell = v4.new_code_cell(outputs=[shown(card)])
    cell.metadata["tags"] = [CHECK_TAG]
    (claim,) = cell_claims(cell)
    return claim
