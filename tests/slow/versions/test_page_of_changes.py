"""Tests of the page of claims that differ between generations."""

from pathlib import Path

import pytest
from nbformat import v4

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks import CHECK_TAG, Claim, changes, write_tables
from tests.support.tiny_notebooks import CHECK, checkout, code, prose, save

__all__ = ["checkout"]

LINE = "q02.1 holds if asked: copies: 1 on 3.10, 2 on 4.0, 2 on 4.3; other: 7"


def test_the_committed_page_is_made_of_what_is_stored():
    assert (ROOT / changes.FILE).read_text(encoding="utf-8") == changes.page()


@pytest.mark.parametrize(
    ("evidence", "values"),
    [
        ("its count: [2, 3] on 3.10, [1, 1] on 4.0; a: 1", {"3.10": "[2, 3]", "4.0": "[1, 1]"}),
        ("none, set: over 100 on 3.10, 21 on 4.3", {"3.10": "over 100", "4.3": "21"}),
        ("one on 3.10, two on 4.0", {"3.10": "one", "4.0": "two"}),
        ("the same: 4 on 3.10, 4 on 4.0", None),
        ("copies 40; other: 2", None),
        ("only: 3 on 4.0", None),
    ],
)
def test_a_changing_claim_is_recognised_by_its_evidence(evidence, values):
    found = changes.changes(Claim("q02.1", "holds", f"q02.1 holds: {evidence}"))
    assert [one.values for one in found] == ([values] if values else [])


def stored(checkout: Path, line: str) -> None:
    cell = code("check-1", CHECK.format(1), CHECK_TAG)
    cell.outputs = [v4.new_output("stream", name="stdout", text=line + "\n")]
    save(checkout, prose("# Q2 · What?"), prose("### One"), cell)


def words(checkout: Path, *claims: str) -> None:
    (checkout / "docs").mkdir(exist_ok=True)
    keys = ("question", "counted", "before", "now", "say")
    text = "".join(
        f'[claims."{name}"]\n' + "".join(f'{key} = "the {key}"\n' for key in keys)
        for name in claims
    )
    (checkout / changes.WORDS).write_text(text)


def test_the_page_has_a_changing_claim_with_its_words(checkout):
    stored(checkout, LINE)
    words(checkout, "q02.1")
    assert checkout / changes.FILE in write_tables(checkout)
    text = (checkout / changes.FILE).read_text()
    link = "[q02.1](../notebooks/q02_tiny.ipynb#cell-id=check-1)"
    assert f"| the question | the counted | 1 | 2 | 2 | {link} |" in text
    assert "### the question\n\n**Before:** the before\n" in text
    assert "section *One*: copies: 1 on 3.10, 2 on 4.0, 2 on 4.3." in text
    assert "Of 1 claims in the notebooks, 1 change: the outcome" in text
    assert write_tables(checkout) == []


def test_words_and_measurements_that_do_not_match_are_refused(checkout):
    stored(checkout, LINE)
    words(checkout)
    with pytest.raises(
        UsageError, match=r"claim q02\.1 changes .* docs/rabbitmq-4\.toml must say how"
    ):
        changes.page(checkout)
    words(checkout, "q02.1", "q02.2")
    with pytest.raises(UsageError, match=r"explains the claim q02\.2, which does not change"):
        changes.page(checkout)
    stored(checkout, "q02.1 holds: copies 40")
    words(checkout, "q02.1")
    with pytest.raises(UsageError, match=r"explains the claim q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text('[claims."q02.1"]\nquestion = "?"\n')
    with pytest.raises(UsageError, match=r"rabbitmq-4\.toml has no 'counted' for q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text("[")
    with pytest.raises(UsageError, match=r"can't read docs/rabbitmq-4\.toml"):
        changes.page(checkout)
