"""Show a verdict as a card: HTML in JupyterLab and on GitHub, the same as plain text elsewhere.

A number that differs from run to run stands in the last column, "measured here", which a
comparison of outputs leaves out (`without_here`); all the rest repeats exactly.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

HEAD = ("set-up", "the sentence says", "measured", "", "measured here")
OPEN, CLOSE = '<td class="here" align="right">', "</td>"
# ⟨ and ⟩ are written as escapes: nbval reads its copy of this pattern in the locale's encoding.
HERE = re.compile(rf"(?<={OPEN})[^<]*(?={CLOSE})|(?<=\u27e8)[^\u27e9]*(?=\u27e9)")


@dataclass(frozen=True)
class Row:
    """One set-up of an experiment, in words that need no code."""

    what: str
    says: str  # "" when the sentence says nothing about it
    measured: str
    outcome: str  # "✓ as said", "✗ not so", "✗ not on all", "· checked"
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
        cells = [HEAD, *((r.what, r.says, r.measured, r.outcome, r.here) for r in self.rows)]
        if not any(row.here for row in self.rows):
            cells[0] = (*HEAD[:4], "")
        widths = [max(len(row[column]) for row in cells) for column in range(4)]
        table = []
        for *words, here in cells:
            padded = [word.ljust(width) for word, width in zip(words, widths, strict=True)]
            line = f"  {' | '.join(padded)}".rstrip()
            table.append(f"{line}  ⟨{here}⟩" if here else line)
        head = f"{self.claim} {self.said}"
        note = [f"not checked now; {self.note}:"] if self.note else []
        return "\n".join([*note, head, f"“{self.sentence}”", *table, self.evidence])

    def _repr_html_(self) -> str:
        """Return HTML that is understood without styles, which GitHub removes."""
        here = any(row.here for row in self.rows)
        head = _cells("th", HEAD[:4]) + (f'<th align="right">{HEAD[4]}</th>' if here else "")
        body = "".join(_row(row, here=here) for row in self.rows)
        note = f"<p><em>not checked now; {escape(self.note)}:</em></p>" if self.note else ""
        return (
            f"{note}<p><strong>{escape(self.claim)}</strong> · “{escape(self.sentence)}”<br>"
            f"<strong>{escape(self.said)}</strong></p>"
            '<table cellpadding="5">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<p><em>{escape(self.evidence)}</em></p>"
        )


def _row(row: Row, *, here: bool) -> str:
    outcome = row.outcome.replace(" ", "\u00a0")  # on one line, however narrow the table is
    words = _cells("td", (row.what, row.says, row.measured, outcome))
    return f"<tr>{words}{f'{OPEN}{escape(row.here)}{CLOSE}' if here else ''}</tr>"


def _cells(tag: str, words: Sequence[str]) -> str:
    """Return the cells of a row: words on the left, numbers on the right."""
    # JupyterLab's styles put the text of all cells to the right, except where a block says else.
    left, right = ('<{0}><div align="left">{1}</div></{0}>', '<{0} align="right">{1}</{0}>')
    forms = (left, right, right, left)
    return "".join(form.format(tag, escape(word)) for form, word in zip(forms, words, strict=True))


def without_here(text: str) -> str:
    """Return a card's text or HTML without the numbers that differ from run to run."""
    return HERE.sub("", text)
