"""What the pages are made from: the stored notebooks with their claims, and the labs' briefs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nbformat import NotebookNode

from helpers.machine import paths
from helpers.machine.paths import ROOT
from helpers.suite import drill
from helpers.suite.notebooks import title
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import FENCED, Row, rows

CLAIM = re.compile(r"\bq\d\d\.\d+\b")
SHORT, MODEL, BREAK, TRADE, BEYOND = (
    "Short answer", "Model", "Break it", "Trade-offs", "Beyond one machine",
)  # fmt: skip
MINUTES = re.compile(r"\*About (\d+) minutes")
WORDS_PER_MINUTE = 200


@dataclass(frozen=True, repr=False)
class Question:
    """A notebook, read once."""

    number: int
    title: str
    path: Path  # in the checkout
    nb: NotebookNode
    drill: drill.Drill
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        return f"Question({self.number}, claims={len(self.rows)})"

    @property
    def name(self) -> str:
        """The question as commands take it, such as "q09"."""
        return f"q{self.number:02d}"

    @property
    def heading(self) -> str:
        """The title of its page."""
        return f"Q{self.number} · {self.title}"

    @property
    def page(self) -> str:
        """The page, as links in Markdown name it."""
        return f"/{self.path.relative_to(ROOT).as_posix()}"

    def link(self, text: str, heading: str = "") -> str:
        """Return a link to a section of the page, or to its top.

        Args:
            text: of the link.
            heading: of the section; "" for the top.
        """
        return f"[{text}]({self.page}{'#' + slug(heading) if heading else ''})"

    def section(self, heading: str) -> str:
        """Return the Markdown of a section, without its heading; "" if there is none."""
        cells = [cell.source for cell in self.nb.cells if cell.cell_type == "markdown"]
        text = FENCED.sub("", "\n\n".join(cells))
        found = re.search(rf"^## {re.escape(heading)}\s*$(.*?)(?=^## |\Z)", text, re.M | re.S)
        return found[1].strip() if found else ""


@dataclass(frozen=True)
class Brief:
    """A lab's brief."""

    number: int
    title: str
    minutes: int
    path: Path

    @property
    def page(self) -> str:
        """The page, as links in Markdown name it."""
        return f"/{self.path.relative_to(ROOT).as_posix()}"

    @property
    def link(self) -> str:
        """A link to the page."""
        return f"[{self.title}]({self.page})"


@cache
def questions() -> tuple[Question, ...]:
    """Return the questions in their order.

    Raises:
        UsageError: a notebook has another form.
    """
    found = []
    for number, path in paths.notebooks().items():
        nb = read(path)
        drilled = drill.parse(nb, path.name)
        found.append(Question(number, title(nb), path, nb, drilled, tuple(rows(nb))))
    return tuple(found)


@cache
def briefs() -> Mapping[int, Brief]:
    """Return the labs' briefs by their number."""
    found = {}
    for number, folder in paths.labs().items():
        first = read(folder / "brief.ipynb").cells[0].source
        name = first.partition("\n")[0].partition(" · ")[2]
        minutes = MINUTES.search(first)
        found[number] = Brief(
            number, name, int(minutes[1]) if minutes else 0, folder / "brief.ipynb"
        )
    return found


@cache
def claims() -> Mapping[str, tuple[Question, Row]]:
    """Return each claim's place by its id."""
    return {row.claim.id: (question, row) for question in questions() for row in question.rows}


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the book make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def minutes(*texts: str) -> int:
    """Return how long texts take to be read."""
    return round(sum(len(text.split()) for text in texts) / WORDS_PER_MINUTE)
