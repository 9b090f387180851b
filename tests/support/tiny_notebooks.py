"""Tiny notebooks in a temporary checkout, which need no broker."""

from pathlib import Path

import pytest
from nbformat import NotebookNode, from_dict, v4, writes

from helpers.suite.notebooks import CHECK_TAG, SURPRISE_TAG

MARKS = "<!-- questions:begin -->\n<!-- questions:end -->"
CHECK = """case = claims.equal("one queue", says=40, measured=copies, unit="copies")
told = "One queue gave {{0}} copies."
claims.check("q02.{}", "each message goes to one consumer", case, expect="holds", evidence=told)"""


def code(name: str, source: str, *tags: str) -> NotebookNode:
    cell = v4.new_code_cell(source, id=name)
    cell.metadata = from_dict({"tags": list(tags)} if tags else {})
    return cell


def prose(source: str) -> NotebookNode:
    return v4.new_markdown_cell(source)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "README.md").write_text(f"# Lab\n{MARKS}\nThe end.\n", encoding="utf-8")
    return tmp_path


def save(checkout: Path, *cells: NotebookNode, name: str = "q02_tiny") -> Path:
    path = checkout / "notebooks" / f"{name}.ipynb"
    path.write_text(writes(v4.new_notebook(cells=list(cells))), encoding="utf-8")
    return path


def claim_notebook(checkout: Path, copies: int = 40) -> Path:
    return save(
        checkout,
        prose("# Q2 · Message queue or bus?"),
        code("setup", f"from helpers import claims\ncopies = {copies}"),
        code("check-q02-1", CHECK.format(1), CHECK_TAG, SURPRISE_TAG),
        code("check-q02-2", CHECK.format(2).replace("=copies", "=40"), CHECK_TAG),
    )
