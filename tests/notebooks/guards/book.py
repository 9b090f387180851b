"""Read a notebook for inspection by the guards."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.suite.notebooks import CHECK_TAG, claim_ids, find

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


@dataclass
class Book:
    """A notebook under inspection, with the size of its file."""

    nb: NotebookNode
    name: str
    size_bytes: int

    @classmethod
    def read(cls, path: Path) -> "Book":
        text = path.read_text(encoding="utf-8")
        nb = nbformat.reads(text, as_version=4)
        # nbformat gives a second cell with the same id another one.
        for cell, stored in zip(nb.cells, json.loads(text)["cells"], strict=True):
            cell.update({key: stored[key] for key in ("id",) if key in stored})
        return cls(nb, path.name, path.stat().st_size)

    @property
    def question(self) -> str:
        return self.name[:3]

    @cached_property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.nb.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> list[NotebookNode]:
        return [cell for cell in self.nb.cells if cell.cell_type == "markdown"]

    @cached_property
    def sections(self) -> dict[str, list[NotebookNode]]:
        """The cells under each level-2 heading; a cell with one begins its section."""
        cells: dict[str, list[NotebookNode]] = {"": []}
        current = ""
        for cell in self.nb.cells:
            headings = headings_in(cell, level=2)
            if headings:
                current = headings[0]
                cells.setdefault(current, [])
            cells[current].append(cell)
        return cells

    def prose(self, section: str) -> str:
        """The Markdown of a section, without its heading."""
        cells = [c.source for c in self.sections.get(section, []) if c.cell_type == "markdown"]
        return re.sub(r"^## .*$", "", "\n\n".join(cells), flags=re.MULTILINE)

    @cached_property
    def claim_cells(self) -> list[NotebookNode]:
        return [cell for cell in self.code if CHECK_TAG in tags(cell)]


Guard = Callable[[Book], list[str]]


@cache
def claims_of_notebooks() -> frozenset[str]:
    """Return the ids of the claims that the committed notebooks check."""
    cells = [cell for path in find() for cell in Book.read(path).claim_cells]
    return frozenset(claim for cell in cells for claim in claim_ids(cell))


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def headings_in(cell: NotebookNode, level: int) -> list[str]:
    if cell.cell_type != "markdown":
        return []
    text = FENCED.sub("", cell.source)
    return re.findall(rf"^{'#' * level} (.+?)\s*$", text, re.MULTILINE)


def unfolded(markdown: str) -> str:
    """Return a text without what stands folded in it, which a reader opens only at need."""
    return re.sub(r"<details>.*?</details>", " ", markdown, flags=re.DOTALL)


def count_words(markdown: str) -> int:
    """Count the words of a text, without code blocks, HTML tags, addresses and table rules."""
    text = FENCED.sub(" ", markdown)
    text = re.sub(r"<!--.*?-->|</?\w[^>]*>", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|https?://\S+", " ", text)
    return len(re.findall(r"\w[\w'\u2019.\-/]*", text))


def texts(output: NotebookNode) -> Iterator[str]:
    """Yield every text of an output; pictures are left out."""
    if output.output_type == "stream":
        yield output.text
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield value


def figures(cell: NotebookNode) -> list[str]:
    return [o.data["image/png"] for o in cell.outputs if "image/png" in o.get("data", {})]


def code_lines(cell: NotebookNode) -> int:
    return sum(1 for line in cell.source.splitlines() if line.strip())


def in_cell(cell: NotebookNode, text: str) -> str:
    return f"cell {cell.id}: {text}"
