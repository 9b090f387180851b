"""The browser check's own judgement, without a browser: `make test-browser` shows the rest."""

import dataclasses

import nbformat
import pytest
from nbformat import v4

from tests.slow.browser import bad
from tests.slow.browser.judge import Seen, judge, leaves_the_machine, stored_figures

GOOD = Seen(cells=3, numbered=3, figures=2)


def test_a_good_notebook_passes():
    assert judge(GOOD, figures=2) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"figures": 1}, "1 figures, 2 are stored"),
        ({"figures": 3}, "3 figures, 2 are stored"),
        ({"numbered": 2}, "2 of 3 code cells ran to their end"),
        ({"cells": 0, "numbered": 0}, "no code cells were shown"),
        ({"red": ["\ncareful\nmore"]}, "an error, or text on stderr: careful"),
        ({"red": [""]}, "an error, or text on stderr: (blank)"),
        (
            {"red": ["-----\nTraceback (most recent call last)\nKeyError: 'x'\n"]},
            "an error output: KeyError: 'x'",
        ),
        (
            {"outside": ["https://b/", "https://b/"]},
            "a request that leaves the machine: https://b/",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_named(change, complaint):
    assert judge(dataclasses.replace(GOOD, **change), figures=2) == [complaint]


def test_what_has_to_be_printed_is_looked_for():
    seen = dataclasses.replace(GOOD, printed="a BROKEN\nb holds")
    assert judge(seen, figures=2, says="BROKEN") == []
    assert judge(seen, figures=2, says="All") == ["no cell printed 'All'"]


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        ("http://127.0.0.1:8888/lab", False),
        ("ws://localhost:8888/api", False),
        ("http://[::1]:8888/", False),
        ("data:image/png;base64,AAAA", False),
        ("blob:http://127.0.0.1/1", False),
        ("https://cdn.example/x.js", True),
        ("wss://127.0.0.1.example/", True),
        ("http://10.0.0.1/", True),
    ],
)
def test_only_loopback_stays_on_the_machine(url, leaves):
    assert leaves_the_machine(url) is leaves


def test_stored_figures_are_counted(tmp_path):
    figure = v4.new_output("display_data", {"image/png": "AAAA"})
    text = v4.new_output("stream", name="stdout", text="x")
    cells = [v4.new_code_cell("", outputs=[figure, text, figure]), v4.new_markdown_cell("x")]
    assert stored_figures(v4.new_notebook(cells=cells)) == 2
    for path in bad.write_all(tmp_path / "bad").values():
        nbformat.validate(nbformat.read(path, as_version=4))
