"""Show a verdict as a card: HTML in JupyterLab and on GitHub, the same as plain text elsewhere.

A number that differs from run to run stands in the last column, "measured here", which a
comparison of outputs leaves out (`without_here`); all the rest repeats exactly.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

HEAD = ("set-up", "the sentence says", "measured", "", "measured here")
OPEN, CLOSE = '<td class="here">', "</td>"
HERE = re.compile(rf"(?<={re.escape(OPEN)})[^<]*(?={CLOSE})|(?<=⟨)[^⟩]*(?=⟩)")


@dataclass(frozen=True)
class Row:
    """One set-up of an experiment, in words that need no code."""

    what: str
    says: str  # "" when the sentence says nothing about it
    measured: str
    outcome: str  # "as said", "not so", "checked", …
    here: str = ""  # a number that differs from run to run


@dataclass(frozen=True)
class Card:
    """The verdict on a sentence, with the rows that it was computed from."""

    claim: str
    sentence: str
    said: str  # the verdict, with its condition
    rows: Sequence[Row]
    evidence: str  # a sentence for people, with the numbers
    note: str = ""  # when and with what it was measured, if not now

    def __repr__(self) -> str:
        """Return the plain text: verdict, sentence, rows, evidence, each on lines of its own."""
        cells = [list(HEAD[:4]), *([r.what, r.says, r.measured, r.outcome] for r in self.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(4)]
        lines = [
            "  " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in cells
        ]
        here = ["", *(f"  ⟨{row.here}⟩" if row.here else "" for row in self.rows)]
        table = [f"{line.rstrip()}{more}" for line, more in zip(lines, here, strict=True)]
        head = f"{self.claim} {self.said}"
        note = [f"not checked now; {self.note}:"] if self.note else []
        return "\n".join([*note, head, f"“{self.sentence}”", *table, self.evidence])

    def _repr_html_(self) -> str:
        """Return HTML that is understood without styles, which GitHub removes."""
        with_here = any(row.here for row in self.rows)
        head = "".join(f"<th>{name}</th>" for name in HEAD[: 5 if with_here else 4])
        body = "".join(_row(row, with_here=with_here) for row in self.rows)
        note = f"<p><em>not checked now; {escape(self.note)}</em></p>" if self.note else ""
        return (
            f"{note}<p><strong>{self.claim}</strong> · “{escape(self.sentence)}”<br>"
            f"<strong>{escape(self.said)}</strong></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p><em>{escape(self.evidence)}</em></p>"
        )


def _row(row: Row, *, with_here: bool) -> str:
    cells = (row.what, row.says, row.measured, row.outcome)
    html = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr>{html}{f'{OPEN}{escape(row.here)}{CLOSE}' if with_here else ''}</tr>"


def without_here(text: str) -> str:
    """Return a card's text or HTML without the numbers that differ from run to run."""
    return HERE.sub("", text)
