"""Write the README's table of questions from the notebooks."""

import re
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT, notebooks
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import Row, as_sentence, escape, rows

BEGIN, END = "<!-- questions:begin -->", "<!-- questions:end -->"
TITLE = re.compile(r"# Q(\d+) · (.+)")


def title(nb: NotebookNode) -> str:
    """Return the question that a notebook answers, from its first line ``# Q2 · question``.

    Args:
        nb: a notebook.

    Raises:
        UsageError: the first line has another form.
    """
    first = nb.cells[0].source.partition("\n")[0] if nb.cells else ""
    match = TITLE.fullmatch(first.strip())
    if match is None:
        raise UsageError(f'a notebook begins with a line like "# Q2 · question", not {first!r}')
    return match[2]


def readme_table(root: Path = ROOT) -> str:
    """Return the table of questions as Markdown.

    Args:
        root: the checkout, whose notebooks are read as they are stored.

    Raises:
        UsageError: a notebook has no title, two have the same number, or a stored claim has no
            sentence.
    """
    lines = [
        "| | question | holds | holds if … | refuted | most surprising |",
        "|--:|---|--:|--:|--:|---|",
    ]
    for number, path in notebooks(root).items():
        nb = read(path)
        table = rows(nb)
        kinds = [row.claim.verdict.partition(" if ")[0:2] for row in table]
        counts = [kinds.count(kind) for kind in (("holds", ""), ("holds", " if "), ("refuted", ""))]
        cells = " | ".join(map(str, counts))
        link = f"[{title(nb)}](notebooks/{path.name})"
        lines.append(f"| {number} | {link} | {cells} | {_surprise(table)} |")
    return "\n".join(lines)


def _surprise(table: list[Row]) -> str:
    return "; ".join(
        f"“{escape(as_sentence(row.sentence))}”: {escape(row.claim.verdict)}"
        for row in table
        if row.surprising
    )


def write_readme_table(root: Path = ROOT) -> bool:
    """Put the current table between the README's two marks.

    Args:
        root: the checkout.

    Returns:
        True when the README changed.

    Raises:
        UsageError: there is no README, or its marks are missing.
    """
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"README.md needs the marks {BEGIN} and {END} around its table")
    new = f"{before}{BEGIN}\n{readme_table(root)}\n{END}{after}"
    if new != text:
        files.write(readme, new)
    return new != text
