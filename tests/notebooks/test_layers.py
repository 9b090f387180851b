"""Imports keep to the floors, form no circle, and notebooks use only what is made for them."""

from itertools import pairwise

import nbformat
import pytest

from helpers.machine.paths import ROOT
from practice.interview import MAGIC
from tests.support import layers
from tests.support.layers import (
    arrows_up,
    beyond_the_face,
    circle,
    graph,
    out_of_helpers,
    under_the_book,
)

NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("labs/*/brief.ipynb")])


@pytest.fixture(scope="module")
def modules():
    return graph(layers.sources())


def test_modules_are_seen(modules):
    assert len(modules) > 200
    assert "helpers.machine.ports" in modules["helpers.broker.selection"]  # from … import ports
    assert "helpers.errors" in modules["helpers.broker.selection"]  # from … import a class
    assert "helpers.suite.doctor" in modules["helpers.suite.jupyterlab"]
    assert modules["helpers"] == set()


def test_no_module_imports_from_a_higher_floor(modules):
    assert arrows_up(modules) == []


def test_helpers_import_neither_labs_nor_tests(modules):
    assert out_of_helpers(modules) == []


def test_nothing_imports_the_book(modules):
    assert under_the_book(modules) == []


def test_no_modules_import_each_other(modules):
    assert circle(modules) == ""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_notebook_imports_what_is_made_for_notebooks(path):
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    code = "\n".join(source for source in sources if not source.startswith(MAGIC))
    python = "\n".join(line for line in code.splitlines() if not line.startswith("%"))
    assert beyond_the_face(path.name, python) == []


def test_arrow_up_is_found():
    wrong = {
        "helpers.machine.x": "def f():\n    from helpers.broker.y import z",
        "helpers.broker.y": "import helpers.machine.x, helpers.broker.y",
        "helpers.metrics.m": "from helpers.suite import s",
        "helpers.suite.s": "from helpers.metrics import m",
        "helpers.errors": "from helpers import broker",
        "helpers.broker": "",
    }
    assert arrows_up(graph(wrong)) == [
        "helpers.machine.x imports helpers.broker.y: an arrow up",
        "helpers.metrics.m imports helpers.suite.s: an arrow up",
        "helpers.errors imports helpers.broker: an arrow up",
    ]


def test_import_of_labs_in_helpers_is_found():
    wrong = {
        "helpers.suite.s": "from labs.judge import trial\nimport tests",
        "labs.judge.trial": "from helpers.suite import s",
        "tests": "",
    }
    assert out_of_helpers(graph(wrong)) == [
        "helpers.suite.s imports labs.judge.trial: helpers must not depend on labs",
        "helpers.suite.s imports tests: helpers must not depend on tests",
    ]


def test_import_of_the_book_is_found():
    wrong = {
        "practice.p": "from book import start",
        "book.start": "",
        "tests.t": "import book.start",
    }
    assert under_the_book(graph(wrong)) == ["practice.p imports book.start: the book stands on top"]


def test_circle_is_found():
    wrong = {
        "labs.a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from labs.b import B",
        "labs.b": "from labs import c",
        "labs.c": "import labs.a",
        "labs.d": "import labs.a",
    }
    found = circle(graph(wrong)).split(" imports ")
    assert set(found) == {"labs.a", "labs.b", "labs.c"}
    assert found[0] == found[-1]
    assert all(other in graph(wrong)[one] for one, other in pairwise(found))


@pytest.mark.parametrize(
    "line",
    [
        "from helpers.suite import doctor",
        "import helpers.rabbitmq.management as api",
        "from helpers import machine",
        "def f():\n    from helpers.classroom.seats import seats",
        "from helpers import __main__",
        "from helpers import no_such_module",
        "import labs.judge.model",
        "from labs.judge import brief",
        "from tests.support import layers",
    ],
)
def test_import_beyond_the_face_is_found(line):
    (sentence,) = beyond_the_face("q99.ipynb", f"from helpers import chaos\n{line}\nimport os")
    assert sentence.startswith("q99.ipynb imports ")
    assert sentence.endswith("use the top of helpers, broker, metrics, plots and services")


def test_brief_imports_the_briefs_part_of_the_judge_alone():
    assert beyond_the_face("brief.ipynb", "from labs.judge import brief\nimport pika") == []
    assert beyond_the_face("interview.ipynb", "from practice import interview") == []
    assert beyond_the_face("interview.ipynb", "from labs.judge import brief") != []
    (sentence,) = beyond_the_face("brief.ipynb", "from labs.judge import brief, trial")
    assert sentence.startswith("brief.ipynb imports labs.judge.trial: ")
