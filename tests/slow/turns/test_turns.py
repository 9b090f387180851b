"""The live broker says yes to each solution, and no to the stored value and to wrong ones."""

import tomllib
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from helpers.suite.notebooks import find, run
from helpers.suite.notebooks.running import read
from tests.support.turns import Turn, turns

pytestmark = pytest.mark.slow
WRONG = Path(__file__).with_name("wrong.toml")  # key of a turn: two lines of code


def insert_variants(nb: NotebookNode, wrong: dict[str, list[str]]) -> None:
    """Put cells with the solution and the wrong values behind each turn, and end after the last."""
    found, _ = turns(nb)
    for turn in found:
        place = nb.cells.index(turn.cell) + 1
        lines = [turn.solution, *wrong[turn.key]]
        nb.cells[place:place] = [
            nbformat.v4.new_code_cell(turn.variant(line), id=f"{turn.cell.id}-{number}")
            for number, line in enumerate(lines)
        ]
    last = nb.cells.index(found[-1].cell) + 4
    nb.cells[last:] = []


def said(nb: NotebookNode, turn: Turn, variant: str = "") -> str:
    """Return what a turn's cell, or a variant of it, printed."""
    cell = next(cell for cell in nb.cells if cell.id == turn.cell.id + variant)
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.parametrize("path", find(), ids=lambda path: path.name[:3])
def test_the_broker_judges_what_the_reader_sets(path, monkeypatch, tmp_path):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    wrong = tomllib.loads(WRONG.read_text(encoding="utf-8"))
    found, _ = turns(read(path))
    assert all(len(set(wrong[turn.key])) == 2 for turn in found)
    result = run(path, edit=lambda nb: insert_variants(nb, wrong))
    # Other tests run beside this one, and a claim is proven where it runs alone.
    assert [problem for problem in result.problems if not problem.claims] == []
    for turn in found:
        assert ": not yet, " in said(result.notebook, turn), turn.key
        assert ": yes, " in said(result.notebook, turn, "-0"), turn.key
        for variant in ("-1", "-2"):
            assert ": not yet, " in said(result.notebook, turn, variant), (turn.key, variant)


def test_each_wrong_value_belongs_to_a_turn():
    keys = {turn.key for path in find() for turn in turns(read(path))[0]}
    assert set(tomllib.loads(WRONG.read_text(encoding="utf-8"))) == keys
