"""The tables of verdicts and the record of runs."""

import dataclasses
import json
from pathlib import Path

import pytest
from nbformat import v4

from helpers import broker
from helpers.claims.card import Card
from helpers.errors import UsageError
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite.notebooks import (
    CHECK_TAG,
    Problem,
    Run,
    changes,
    commands,
    page,
    refreshing,
    verdicts,
    write_tables,
)
from helpers.suite.notebooks.cards import claim_sentences
from helpers.suite.notebooks.commands import record_verdicts, run_notebooks
from helpers.suite.notebooks.page import FILE as PAGE
from helpers.suite.notebooks.records import FILE as RECORD
from helpers.suite.notebooks.records import Session, add, columns, load, this_session
from helpers.suite.notebooks.table import as_sentence, escape, rows
from helpers.suite.notebooks.verdicts import judge
from tests.support.cards import card, claim_of, shown
from tests.support.tiny_notebooks import CHECK, checkout, claim_notebook, code, prose, save

__all__ = ["checkout"]

NEWEST, OLDEST = GENERATIONS[-1], GENERATIONS[0]
SESSION = Session("2026-11-25", f"{NEWEST}.6", "29.1.1", "1.4.4", "3.11.7")
OLD = Session("2026-11-24", f"{OLDEST}.8", "25.2.3", "1.4.4", "3.11.7")


FORTY, TWO = card("q02.1"), card("q02.2", copies=2)


@pytest.fixture
def ran(monkeypatch):
    """Return a function that sets which cards the next runs show."""

    def set_cards(*cards: Card, problems: tuple[Problem, ...] = ()) -> None:
        claims = tuple(map(claim_of, cards))

        def run(path: Path, *, timeout_s: float) -> Run:
            return Run(v4.new_notebook(), (claims,), problems, 0.1)

        monkeypatch.setattr(refreshing, "run", run)

    return set_cards


def stored(checkout: Path, *cards: Card, tag: str = "experiment") -> Path:
    """Save a notebook with these cards in its outputs."""
    cells = [prose("# Q2 · What?"), prose("### One")]
    for number, each in enumerate(cards, 1):
        cells.append(code(f"check-{number}", CHECK.format(number), CHECK_TAG, tag))
        cells[-1].outputs = [shown(each)]
    return save(checkout, *cells)


def marks(*measured: str) -> str:
    """Return the columns of generations in a row of the page."""
    return " | ".join("✓" if name in measured else "·" for name in GENERATIONS)


def test_the_page_of_changes_names_a_generation_that_is_not_recorded(checkout):
    (checkout / "docs").mkdir()
    (checkout / changes.WORDS).touch()
    run = {"rabbitmq": "99.4.1", "erlang": "40", "date": "2026-11-25", "seen": {}}
    (checkout / changes.SEEN).write_text(json.dumps({NEWEST: run}))
    assert "not recorded" not in changes.page(checkout)
    (checkout / changes.SEEN).write_text(json.dumps({"99.4": run}))
    assert f"\n\n99.4: not recorded, compared with {NEWEST}.\n\n" in changes.page(checkout)


def row_of(checkout: Path, name: str) -> str:
    lines = (checkout / PAGE).read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"| [{name}]"))


def test_rows_have_sentence_and_place_and_are_in_the_order_of_their_numbers():
    cells = [prose("## Experiments\n\n```\n## no heading\n```"), prose("### One\n\n### Two")]
    for number in (10, 2):
        cells.append(code(f"check-{number}", CHECK.format(number), CHECK_TAG))
        cells[-1].outputs = [shown(card(f"q02.{number}"))]
    first, second = rows(v4.new_notebook(cells=cells))
    assert (first.claim.id, first.cell, first.heading) == ("q02.2", "check-2", "Two")
    assert first.sentence == "each message goes to one consumer"
    assert first.claim.evidence == "One queue gave 40 copies."
    assert second.claim.id == "q02.10"
    cells[-1].source = "display(card)"
    with pytest.raises(UsageError, match=r"q02\.2 is not checked in the cell check-2"):
        rows(v4.new_notebook(cells=cells))


def test_a_sentence_that_is_not_written_out_is_refused():
    with pytest.raises(UsageError, match=r"q02\.1: the sentence must be written out"):
        claim_sentences(code("check", 'claims.check("q02.1", words, case, expect="holds")'))
    folded = code("check", 'claims.check("q02.1", "one "\n"two", case, expect="holds")')
    assert claim_sentences(folded) == {"q02.1": "one two"}


def test_text_is_shown_letter_for_letter():
    assert escape(r"a|b * c_d <e> `f` [1, 2] [g](h)") == (
        r"a\|b \* c\_d \<e\> \`f\` [1, 2] [g\](h)"
    )
    for text, sentence in {
        "pub/sub: every": "Pub/sub: every",
        "x-death counts": "x-death counts",
        "basic_qos(1) is": "basic_qos(1) is",
        "10 is": "10 is",
        "": "",
    }.items():
        assert as_sentence(text) == sentence


def test_a_run_is_recorded_and_marks_its_generation(checkout, ran, capsys):
    path = stored(checkout, FORTY, TWO)
    write_tables(checkout)
    assert row_of(checkout, "q02.1").endswith(f"| holds | {FORTY.evidence} | {marks()} | One |")
    assert "None has been recorded yet." in page(checkout)
    before = path.read_bytes()
    ran(FORTY, TWO)
    assert judge([path], SESSION, root=checkout)
    assert "2 claims as stored" in capsys.readouterr().out
    assert path.read_bytes() == before
    assert write_tables(checkout) == []
    assert row_of(checkout, "q02.1").endswith(f"| {marks(NEWEST)} | One |")
    assert "(../notebooks/q02_tiny.ipynb#cell-id=check-1)" in row_of(checkout, "q02.1")
    assert f"| {NEWEST}.6 | 29.1.1 | 1.4.4 | 3.11.7 | 2026-11-25 | q02 |" in page(checkout)
    record = load(checkout)[NEWEST]["q02"]
    assert repr(record) == f"Record(2026-11-25, {NEWEST}.6, claims=2)"
    assert record.claims == (repr(FORTY), repr(TWO))


def test_a_changed_card_is_no_longer_recorded(checkout, ran):
    path = stored(checkout, FORTY, TWO)
    ran(FORTY, TWO)
    judge([path], SESSION, root=checkout)
    stored(checkout, card(copies=41), TWO)
    write_tables(checkout)
    assert row_of(checkout, "q02.1").endswith(f"| One queue gave 41 copies. | {marks()} | One |")
    assert row_of(checkout, "q02.2").endswith(f"| {TWO.evidence} | {marks(NEWEST)} | One |")


def test_a_run_that_differs_or_fails_is_not_recorded(checkout, ran, capsys):
    path = stored(checkout, FORTY, TWO)
    ran(card(copies=41), TWO)
    assert not judge([path], SESSION, root=checkout)
    printed = capsys.readouterr().out
    assert "failed, not recorded\n  stored:\n  q02.1 holds\n" in printed
    assert "\n  now:\n  q02.1 holds\n" in printed
    ran(FORTY, TWO, problems=(Problem("check-1", ("q02.1",), "ClaimFailedError", "a\nb"),))
    assert not judge([path], SESSION, root=checkout)
    assert "  q02.1 (check-1): ClaimFailedError: a\n  b\n" in capsys.readouterr().out
    assert load(checkout) == {}


def test_a_claim_whose_service_is_absent_is_named_and_not_recorded(
    checkout, ran, capsys, monkeypatch
):
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    path = stored(checkout, FORTY, TWO, tag="needs-postgresql")
    ran(FORTY)
    assert judge([path], SESSION, root=checkout)
    assert "1 claims as stored; skipped: q02.2" in capsys.readouterr().out
    assert load(checkout)[NEWEST]["q02"].claims == (repr(FORTY),)
    assert not judge([stored(checkout, FORTY, TWO)], SESSION, root=checkout)


@pytest.mark.parametrize(
    ("own", "kept"), [(f"{NEWEST}.1", (repr(FORTY), repr(TWO))), (f"{OLDEST}.8", ()), ("?", ())]
)
def test_a_claim_about_a_private_node_counts_for_the_generation_of_that_node(
    checkout, ran, monkeypatch, own, kept
):
    ran(FORTY, TWO)
    for service in ("node", "cluster"):
        monkeypatch.setattr(getattr(verdicts, service), "version", lambda: own)
        notebook = stored(checkout, FORTY, TWO, tag=f"needs-{service}")
        assert judge([notebook], SESSION, root=checkout)
        assert load(checkout)[NEWEST]["q02"].claims == kept


def test_records_are_kept_per_generation_and_in_one_order(checkout):
    for question, session, copies in (("q03", SESSION, 1), ("q02", OLD, 1), ("q02", OLD, 2)):
        add(question, [claim_of(card(copies=copies))], session, checkout)
    plain = json.loads((checkout / RECORD).read_text())
    assert list(plain) == [OLDEST, NEWEST]
    assert plain[OLDEST]["q02"] == vars(OLD) | {"claims": [repr(card(copies=2))]}
    assert columns(load(checkout)) == list(GENERATIONS)
    assert columns(["3.9", "99.0", "99.10", "99.9"]) == [
        "3.9", *GENERATIONS, "99.0", "99.9", "99.10",
    ]  # fmt: skip


def test_a_generation_that_is_not_recorded_is_named_in_the_output_and_on_the_page(
    checkout, ran, capsys
):
    note = f"99.4: not recorded, compared with {NEWEST}"
    path = stored(checkout, FORTY, TWO)
    ran(FORTY, TWO)
    assert judge([path], SESSION, root=checkout)
    assert "not recorded" not in capsys.readouterr().out + page(checkout)
    assert judge([path], dataclasses.replace(SESSION, rabbitmq="99.4.1"), root=checkout)
    assert capsys.readouterr().out.startswith(f"RabbitMQ {note}\n")
    lines = (checkout / PAGE).read_text(encoding="utf-8").splitlines()
    assert f"{note}." in lines
    assert row_of(checkout, "q02.1").endswith(f"| {marks(NEWEST)} | ✓ | One |")


@pytest.mark.parametrize("text", ["{", "[]", '{"4.3": {"q02": {}}}', '{"4.3": []}'])
def test_a_broken_record_is_refused_in_one_sentence(checkout, text):
    (checkout / RECORD).parent.mkdir()
    (checkout / RECORD).write_text(text)
    with pytest.raises(UsageError, match=r"docs/verdicts\.json is no record of runs"):
        page(checkout)


def test_the_command_runs_on_the_broker_that_it_finds(checkout, shared_broker, capsys):
    claim_notebook(checkout)
    run_notebooks(root=checkout)
    capsys.readouterr()
    assert record_verdicts(["q02"], root=checkout)
    printed = capsys.readouterr().out
    assert f"RabbitMQ {shared_broker.version} on Erlang" in printed
    assert "2 claims as stored" in printed
    assert load(checkout)[broker.generation()]["q02"].session == this_session(shared_broker)


def test_stored_cards_are_tabled_without_a_run_or_a_broker(checkout, capsys, monkeypatch):
    monkeypatch.setattr(commands.broker, "find", None)
    stored(checkout, FORTY, TWO)
    assert record_verdicts(stored=True, root=checkout)
    printed = "README.md was brought in step\ndocs/verdicts.md was brought in step\n"
    assert capsys.readouterr().out == printed
    assert record_verdicts(stored=True, root=checkout)
    assert capsys.readouterr().out == ""
