"""The sabotages fit their notebooks, and the runner tells what became of each."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import v4, write

from helpers import __main__ as command_line
from helpers.claims.card import Card, Row
from helpers.suite.notebooks import find, stored_claims
from helpers.suite.notebooks.reach import keep_within_reach, leave_out_figures
from helpers.suite.notebooks.running import read
from tests.slow.sabotage import Sabotage, SabotageError, all_sabotages, judge, notebook_of
from tests.slow.sabotage.runner import report, without_sabotage
from tests.support.cards import shown

EVERY = all_sabotages()


def test_every_claim_has_a_sabotage():
    claims = {claim.id for path in find() for claim in stored_claims(read(path))}
    assert without_sabotage(sorted(claims), EVERY) == []


@pytest.mark.parametrize(
    "sabotage", EVERY, ids=lambda sabotage: f"{sabotage.claim}-{sabotage.cell}"
)
def test_every_sabotage_fits_its_notebook(sabotage):
    nb = read(notebook_of(sabotage.claim))
    sabotage.apply(nb)
    assert sabotage.why
    assert sabotage.claim in {claim.id for claim in stored_claims(nb)}


CODE = {
    "setup": "from helpers import claims\nsent, rate_msgs_per_s = 40, 1000",
    "shared": "copies = sent // 1",
    "own": "lost = 0",
    "check-q99-1": """
case = claims.equal("copies", says=40, measured=copies)
claims.check("q99.1", "each once", case, expect="holds", evidence="{0} copies.")
""",
    "check-q99-2": """
claims.check(
    "q99.2",
    "none is lost",
    claims.equal("copies", says=40, measured=copies),
    claims.equal("lost", says=0, measured=lost),
    expect="holds",
    evidence="{0} copies, {1} lost.",
)
""",
    "unrelated": "spare = rate_msgs_per_s + 1",
}
COPIES, LOST = Row("copies", "40", "40", "✓ as said"), Row("lost", "0", "0", "✓ as said")
CARDS = {
    "check-q99-1": Card("q99.1", "each once", "holds", (COPIES,), "40 copies."),
    "check-q99-2": Card("q99.2", "none is lost", "holds", (COPIES, LOST), "40 copies, 0 lost."),
}


@pytest.fixture
def tiny(tmp_path) -> Path:
    """Return a notebook with two claims that share a measurement; it needs no broker."""
    nb = v4.new_notebook()
    for number, (name, code) in enumerate(CODE.items(), 1):
        cell = v4.new_code_cell(code.strip(), id=name, execution_count=number)
        if name in CARDS:
            cell.metadata["tags"] = ["nbval-check-output"]
            cell.outputs = [shown(CARDS[name])]
        nb.cells.append(cell)
    path = tmp_path / "q99_tiny.ipynb"
    write(nb, path)
    return path


slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def sabotage(claim: str, cell: str, find_it: str, replace: str) -> Sabotage:
    return Sabotage(claim, cell, find_it, replace, why="a test")


@pytest.mark.parametrize(
    ("change", "word", "detail"),
    [
        (sabotage("q99.2", "own", "0", "1"), "killed", ""),
        slow(sabotage("q99.1", "unrelated", "1", "2"), "survived", ""),
        slow(sabotage("q99.1", "shared", "1", "2"), "collateral", "q99.2 failed too"),
        (
            sabotage("q99.1", "own", "0", "1"),
            "collateral",
            "q99.2 failed too, while q99.1 survived",
        ),
        (sabotage("q99.2", "own", "0", "1 / 0"), "broken", "cell (own): ZeroDivisionError"),
        slow(sabotage("q99.2", "check-q99-2", "=lost", "=lots"), "broken", "NameError"),
        (sabotage("q99.1", "nowhere", "0", "1"), "broken", "no code cell 'nowhere'"),
        (sabotage("q99.3", "own", "0", "1"), "broken", "stores no card of this claim"),
    ],
)
def test_outcomes_are_told_apart(tiny, change, word, detail):
    before = tiny.read_bytes()
    outcome = judge(change, tiny)
    assert (outcome.word, detail in outcome.detail) == (word, True), outcome
    assert bool(outcome.detail) == bool(detail)
    assert tiny.read_bytes() == before


def test_a_claim_whose_service_is_missing_is_skipped(tiny, monkeypatch, capsys):
    nb = read(tiny)
    nb.cells[4].metadata["tags"] += ["needs-postgresql"]
    write(nb, tiny)
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    change = sabotage("q99.2", "own", "0", "1")
    assert (judge(change, tiny).word, judge(change, tiny).detail) == (
        "skipped",
        "PostgreSQL is not used: RABBIT_LAB_SERVICES is off.",
    )
    assert report([change], [], notebook=lambda claim: tiny) == 0
    assert capsys.readouterr().out.endswith("0 / 0 killed, 1 skipped\n")


def test_cells_that_a_change_cannot_reach_do_not_run(tiny):
    nb = read(tiny)
    removed = keep_within_reach(nb, "own")
    assert [cell.id for cell in removed] == ["check-q99-1", "unrelated"]
    nb = read(tiny)
    assert [cell.id for cell in keep_within_reach(nb, "unrelated")] == [
        "shared", "own", "check-q99-1", "check-q99-2",
    ]  # fmt: skip
    nb = read(tiny)
    assert keep_within_reach(nb, "setup") == []


def test_figures_are_left_out_of_a_run(tiny):
    nb = read(tiny)
    nb.cells[2].source = 'plots.bars(\n    copies,\n)\nlost = 0\nplots = "no.module"'
    sabotage("q99.1", "shared", "1", "2").apply(nb)
    leave_out_figures(nb)
    assert nb.cells[1].source == "copies = sent // 2"
    assert nb.cells[2].source.split("\n") == ["", "", "", "lost = 0", 'plots = "no.module"']


@pytest.mark.slow
def test_another_claim_whose_service_is_missing_is_no_collateral(tiny, monkeypatch):
    nb = read(tiny)
    nb.cells[4].metadata["tags"] += ["needs-postgresql"]
    there = replace(CARDS["check-q99-2"], evidence="Measured where there is a PostgreSQL.")
    nb.cells[4].outputs = [shown(there)]
    write(nb, tiny)
    change = sabotage("q99.1", "shared", "1", "2")
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert judge(change, tiny).word == "killed"
    nb.cells[4].metadata["tags"].pop()
    write(nb, tiny)
    assert judge(change, tiny).word == "collateral"


@pytest.mark.slow
def test_several_at_once_give_the_same_as_one_by_one(tiny, capsys):
    chosen = [sabotage("q99.2", "own", "0", "1"), sabotage("q99.1", "unrelated", "1", "2")]
    assert report(chosen, [], notebook=lambda claim: tiny, jobs=2) == 1
    printed = capsys.readouterr().out.splitlines()
    assert {tuple(line.split()[:2]) for line in printed[:2]} == {
        ("q99.2", "killed"),
        ("q99.1", "survived"),
    }
    assert printed[-1] == "1 / 2 killed"


@pytest.mark.slow
def test_what_measures_rates_runs_alone_after_the_others(tiny, tmp_path, capsys):
    nb = read(tiny)
    nb.cells[0].metadata["tags"] = ["measures-rates"]
    alone = tmp_path / "q98_alone.ipynb"
    write(nb, alone)
    paths = {"q99.1": alone, "q99.2": tiny}
    chosen = [sabotage("q99.1", "unrelated", "1", "2"), sabotage("q99.2", "own", "0", "1")]
    assert report(chosen, [], notebook=paths.__getitem__, jobs=2) == 1
    order = [line.split()[0] for line in capsys.readouterr().out.splitlines()[:2]]
    assert order == ["q99.2", "q99.1"]


def test_a_card_that_changes_counts_as_failed(tiny):
    change = sabotage("q99.2", "check-q99-2", '"lost"', '"missing"')
    assert judge(change, tiny).word == "killed"


@pytest.mark.parametrize(
    ("cell", "find_it", "replace", "message"),
    [
        ("shared", "s", "t", "exactly once in the cell 'shared', not 2 times"),
        ("shared", "absent", "t", "not 0 times"),
        ("shared", "", "t", "not 0 times"),
        ("shared", "sent", "sent", "changes nothing"),
        ("nowhere", "sent", "t", "there is no code cell 'nowhere'"),
    ],
)
def test_a_sabotage_that_does_not_fit_says_so(tiny, cell, find_it, replace, message):
    with pytest.raises(SabotageError, match=message):
        sabotage("q99.1", cell, find_it, replace).apply(read(tiny))


@pytest.mark.slow
def test_the_report_counts_and_demands_all(tiny, capsys):
    killed = Sabotage("q99.2", "own", "0", "1", why="loses one")
    survived = Sabotage("q99.1", "unrelated", "1", "2", why="changes a spare number")
    assert report([killed], [], notebook=lambda claim: tiny) == 0
    assert "1 / 1 killed" in capsys.readouterr().out
    assert report([killed, survived], [], notebook=lambda claim: tiny) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[:2]] == [
        ["q99.2", "killed"],
        ["q99.1", "survived"],
    ]
    assert printed[-1] == "1 / 2 killed"


def test_a_claim_without_a_sabotage_fails_the_report(capsys):
    assert without_sabotage(["q99.1", "q99.2"], [Sabotage("q99.2", "a", "b", "c", "d")]) == [
        "q99.1"
    ]
    assert report([], ["q99.1"]) == 1
    assert capsys.readouterr().out.splitlines() == ["q99.1  has no sabotage", "0 / 1 killed"]


def test_an_unknown_name_is_refused_in_one_sentence(capsys):
    assert command_line.main(["sabotage", "q99.9"]) == 2
    assert capsys.readouterr().err == "error: no notebook makes the claim 'q99.9'\n"
