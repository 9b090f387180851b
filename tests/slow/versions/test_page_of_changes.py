"""Tests of the page of claims that differ between generations."""

from pathlib import Path

import pytest

from helpers.claims.card import Row
from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks import CHECK_TAG, changes, write_tables
from tests.support.cards import card, claim_of, shown
from tests.support.tiny_notebooks import CHECK, checkout, code, prose, save

__all__ = ["checkout"]

COUNTED = Row("copies", "1", "1 on 3.10, 2 on 4.0, 2 on 4.3", "✗ not so")
OTHER = Row("other", "7", "7", "✓ as said")


def test_the_committed_page_is_made_of_what_is_stored():
    assert (ROOT / changes.FILE).read_text(encoding="utf-8") == changes.page()


@pytest.mark.parametrize(
    ("measured", "values"),
    [
        ("over 100 on 3.10, 21 on 4.3", {"3.10": "over 100", "4.3": "21"}),
        ("one on 3.10, two on 4.0", {"3.10": "one", "4.0": "two"}),
        ("4 on 3.10, 4 on 4.0", None),
        ("40", None),
        ("3 on 4.0", None),
    ],
)
def test_a_changing_claim_is_recognised_by_its_measured_values(measured, values):
    row = Row("none set, on 3.10, 2 on 4.0", "4", measured, "✗ not so", "3 on 3.10, 4 on 4.0")
    found = changes.changes(claim_of(card(rows=(row, OTHER))))
    assert [(one.what, one.values) for one in found] == ([(row.what, values)] if values else [])


def stored(checkout: Path, *rows: Row) -> None:
    cell = code("check-1", CHECK.format(1), CHECK_TAG)
    cell.outputs = [shown(card(said="holds if asked", rows=rows))]
    save(checkout, prose("# Q2 · What?"), prose("### One"), cell)


def words(checkout: Path, *claims: str) -> None:
    (checkout / "docs").mkdir(exist_ok=True)
    keys = ("question", "before", "now", "say")
    text = "".join(
        f'[claims."{name}"]\n' + "".join(f'{key} = "the {key}"\n' for key in keys)
        for name in claims
    )
    (checkout / changes.WORDS).write_text(text)


def test_the_page_has_a_changing_claim_with_its_words(checkout):
    stored(checkout, COUNTED, OTHER)
    words(checkout, "q02.1")
    assert checkout / changes.FILE in write_tables(checkout)
    text = (checkout / changes.FILE).read_text()
    link = "[q02.1](../notebooks/q02_tiny.ipynb#cell-id=check-1)"
    assert f"| the question | copies | 1 | 2 | 2 | {link} |" in text
    assert "### the question\n\n**Before:** the before\n" in text
    assert "section *One*: copies: 1 on 3.10, 2 on 4.0, 2 on 4.3." in text
    assert "Of 1 claims in the notebooks, 1 change: the outcome" in text
    assert write_tables(checkout) == []


def test_words_and_measurements_that_do_not_match_are_refused(checkout):
    stored(checkout, COUNTED, OTHER)
    words(checkout)
    with pytest.raises(
        UsageError, match=r"claim q02\.1 changes .* docs/rabbitmq-4\.toml must say how"
    ):
        changes.page(checkout)
    words(checkout, "q02.1", "q02.2")
    with pytest.raises(UsageError, match=r"explains the claim q02\.2, which does not change"):
        changes.page(checkout)
    stored(checkout, OTHER)
    words(checkout, "q02.1")
    with pytest.raises(UsageError, match=r"explains the claim q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text('[claims."q02.1"]\nquestion = "?"\n')
    with pytest.raises(UsageError, match=r"rabbitmq-4\.toml has no 'before' for q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text("[")
    with pytest.raises(UsageError, match=r"can't read docs/rabbitmq-4\.toml"):
        changes.page(checkout)
