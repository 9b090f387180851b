"""Write the sources of the pages into a folder, laid out as the checkout is."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode

from book import drills, evidence, figures, start
from book.sources import Question, briefs, questions
from helpers.machine.paths import ROOT
from helpers.suite.drill import LEVELS
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import FENCED

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
SUMMARY = re.compile(r"<summary>.*?</summary>")  # HTML, in which Markdown is not read
SPAN = re.compile(r"`([^`]+)`")
OUTSIDE = re.compile(r"^(?:[a-z]+:|/)")
# A file of this kind that a page names has a page of its own; of others only the name is left.
CODE = {".py": "python", ".yml": "yaml"}
SEARCH = """\
# Search

<form class="book-search" role="search" action="search.html" method="get">
<label for="book-query">A word, several words, or the id of a claim such as q09.5</label>
<input id="book-query" name="q" type="search" autocomplete="off" spellcheck="false">
</form>
<p id="book-found" role="status"></p>
<ol id="book-results"></ol>
<noscript><p>The search needs JavaScript. The <a href="docs/claims.html">index of claims</a> does
without.</p></noscript>
<script src="search-index.js"></script>
<script src="_static/search.js"></script>
"""


class Stage:
    """A folder with the sources of one edition.

    Args:
        folder: an empty folder.
        instructors: whether it has the guides, the hidden cases and the solutions.
    """

    def __init__(self, folder: Path, *, instructors: bool) -> None:
        self.folder, self.instructors = folder, instructors
        self._pages = dict(_generated(instructors))
        self._notebooks = {_name(one.path): _of_question(one) for one in questions()}
        self._notebooks |= {_name(lab.path): _with_ids(read(lab.path)) for lab in briefs().values()}
        if instructors:
            self._pages |= dict(_of_instructors())
        self._files: set[str] = set()  # that pages name

    def write(self) -> None:
        """Write all pages."""
        for name, text in self._pages.items():
            self._put(name, self.with_links(text, name))
        for name, nb in self._notebooks.items():
            for cell in nb.cells:
                if cell.cell_type == "markdown":
                    cell.source = self.with_links(cell.source, name)
            self._put(name, nbformat.writes(nb))
        for name in sorted(self._files):
            kind = CODE[PurePosixPath(name).suffix]
            text = (ROOT / name).read_text(encoding="utf-8")
            self._put(f"files/{name}.md", f"---\norphan: true\n---\n{code(name, text, kind)}")

    def with_links(self, text: str, page: str) -> str:
        """Return Markdown whose links lead to pages of this edition, or are only their text.

        Args:
            text: of a page.
            page: its name, such as "notebooks/q09_prefetch.ipynb".
        """
        fenced = list(FENCED.finditer(text))

        def lead(match: re.Match[str]) -> str:
            if OUTSIDE.match(match[2]) or any(
                block.start() <= match.start() < block.end() for block in fenced
            ):
                return match[0]
            path, mark, anchor = match[2].partition("#")
            anchor = anchor if anchor.startswith("cell-id=") else anchor.lower()  # JupyterLab's
            target = f"/{self._target((ROOT / page).parent / path)}" if path else ""
            return match[1] if target == "/" else f"[{match[1]}]({target}{mark}{anchor})"

        text = LINK.sub(lead, text)
        return SUMMARY.sub(lambda match: SPAN.sub(r"<code>\1</code>", match[0]), text)

    def _target(self, path: Path) -> str:
        """Return the page for a file or folder of the checkout; "" when this edition has none."""
        name = _name(path.resolve())
        brief = f"{name}/brief.ipynb"
        for one in (name, brief):
            if one in self._pages or one in self._notebooks:
                return one
        if path.suffix in CODE and path.is_file() and not name.startswith("labs/"):
            self._files.add(name)
            return f"files/{name}.md"
        return ""

    def _put(self, name: str, text: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def code(name: str, text: str, kind: str) -> str:
    """Return a page with the code of a file.

    Args:
        name: of the file.
        text: its content.
        kind: the name of its language, such as "python".
    """
    return f"# `{name}`\n\n{_fence(text, kind)}\n"


def _fence(text: str, kind: str) -> str:
    return f"`````{kind}\n{text.rstrip()}\n`````"


def _generated(instructors: bool) -> Iterator[tuple[str, str]]:
    yield "index.md", start.page(instructors=instructors)
    for level in LEVELS:
        yield f"drills/{level}.md", drills.level(level)
    yield "drills/misconceptions.md", drills.wrong()
    yield "drills/glossary.md", drills.glossary()
    yield "docs/claims.md", evidence.index()
    yield "docs/verdicts.md", evidence.verdicts()
    yield "docs/rabbitmq-4.md", evidence.generations()
    yield "labs/README.md", evidence.labs()
    yield "search.md", SEARCH


def _of_instructors() -> Iterator[tuple[str, str]]:
    yield "docs/instructors.md", (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    for lab in briefs().values():
        folder = lab.path.parent
        yield _name(folder / "guide.md"), (folder / "guide.md").read_text(encoding="utf-8")
        parts = [f"# Lab {lab.number} · hidden cases and solutions"]
        for path in [*folder.glob("hidden.py"), *sorted(folder.glob("[cw]*/*.py"))]:
            parts.append(f"## `{path.relative_to(folder)}`")
            parts.append(_fence(path.read_text(encoding="utf-8"), "python"))
        yield _name(folder / "answers.md"), "\n\n".join(parts) + "\n"


def _of_question(question: Question) -> NotebookNode:
    nb, alternatives = _with_ids(question.nb), figures.alternatives(question.nb)
    for cell in nb.cells:
        if cell.id in alternatives:
            cell.metadata["mystnb"] = {"image": {"alt": alternatives[cell.id]}}
    nb.cells.append(nbformat.v4.new_markdown_cell(_next(question), id="book-next"))
    return nb


def _next(question: Question) -> str:
    lab = briefs().get(question.number)
    lines = [f"- Do it yourself: [lab {lab.number}, {lab.title}]({lab.page})."] if lab else []
    levels = ", ".join(f"[{level}](/drills/{level}.md)" for level in LEVELS)
    return "\n".join(
        [
            "## What to do next\n",
            *lines,
            f"- Say it aloud: `make practice ARGS={question.name}` asks what this page has; the"
            f" drills of all questions are {levels}.",
            "- Look up [what candidates get wrong](/drills/misconceptions.md), and [what changed"
            " with RabbitMQ 4](/docs/rabbitmq-4.md).",
        ]
    )


def _with_ids(nb: NotebookNode) -> NotebookNode:
    """Return a copy whose cells keep their id where the extension finds it."""
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        cell.metadata["book"] = cell.id
    return nb


def _name(path: Path) -> str:
    try:
        return path.relative_to(ROOT).as_posix()
    except ValueError:
        return ""
