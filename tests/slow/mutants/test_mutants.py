"""Mutants of a notebook, the file of reasons, the report and its exit codes."""

from pathlib import Path

import pytest
from nbformat import v4, write

from helpers import __main__ as command_line
from helpers.errors import UsageError
from helpers.suite.notebooks import CHECK_TAG, Problem, find
from helpers.suite.notebooks.running import read
from tests.slow.mutants.model import Outcome, mutants_of, read_reasons, without_mutant
from tests.slow.mutants.runner import all_mutants, conclude, judge, report, show
from tests.slow.sabotage.running import Comparison
from tests.support.cards import card, shown
from tests.support.tiny_notebooks import CHECK, code
from tests.support.turns import TURN_TAG

SETUP = """from helpers import claims
import time


def publish(*, mandatory):
    return 40 if mandatory else 39


def forget(*, requeue):
    time.sleep(30 if requeue else 0)"""


@pytest.fixture
def tiny(tmp_path) -> Path:
    """Return a notebook with three decisions, of which one matters; it needs no broker."""
    checks = code("check", CHECK.format(1), CHECK_TAG)
    checks.outputs = [shown(card())]
    checks.execution_count = 4
    nb = v4.new_notebook(
        cells=[
            code("setup", SETUP),
            code("own", "copies = publish(mandatory=True)\nspare = publish(mandatory=False)"),
            code("rest", "forget(requeue=False)"),
            checks,
        ]
    )
    path = tmp_path / "q02_tiny.ipynb"
    write(nb, path)
    return path


def test_the_mutants_of_a_notebook_have_places_and_changed_lines(tiny):
    mutants = mutants_of(read(tiny), "q02")
    assert [str(mutant) for mutant in mutants] == [
        "q02  own:1  mandatory=True → False",
        "q02  own:2  mandatory=False → True",
        "q02  rest:1  requeue=False → True",
    ]
    assert [mutant.key for mutant in mutants] == [
        ("q02", "own", "copies = publish(mandatory=False)", 1),
        ("q02", "own", "spare = publish(mandatory=True)", 1),
        ("q02", "rest", "forget(requeue=True)", 1),
    ]
    nb = read(tiny)
    mutants[1].apply(nb)
    sources = [cell.source for cell in nb.cells]
    assert sources[1] == "copies = publish(mandatory=True)\nspare = publish(mandatory=True)"
    assert [sources[0], *sources[2:]] == [
        cell.source for number, cell in enumerate(read(tiny).cells) if number != 1
    ]


def test_equal_lines_of_a_cell_are_told_apart():
    nb = v4.new_notebook(
        cells=[code("one", "channel.basic_ack(1)\nchannel.basic_ack(1)\nchannel.basic_ack(2)")]
    )
    assert [mutant.nth for mutant in mutants_of(nb, "q02")] == [1, 2, 1]


def test_the_check_of_a_claim_is_no_experiment():
    nb = v4.new_notebook(cells=[code("check", "f(durable=True)", CHECK_TAG)])
    nb.cells.append(code("turn", "f(durable=True)", TURN_TAG))
    assert mutants_of(nb, "q02") == []


def test_every_mutant_of_every_notebook_is_python_with_a_key_of_its_own():
    mutants = all_mutants({path.name[:3]: path for path in find()})
    sources = {(path.name[:3], c.id): c.source for path in find() for c in read(path).cells}
    for mutant in mutants:
        source = sources[mutant.notebook, mutant.cell]
        compile(mutant.edit.apply(source), mutant.cell, "exec")
    assert len({mutant.key for mutant in mutants}) == len(mutants)
    assert {mutant.notebook for mutant in mutants} == {path.name[:3] for path in find()}


def test_every_reason_belongs_to_a_mutant():
    mutants = all_mutants({path.name[:3]: path for path in find()})
    assert without_mutant(read_reasons(), mutants) == []


ROW = """[[mutant]]
notebook = "q02"
cell = "own"
code = "spare = publish(mandatory=True)"
reason = "nothing reads it"
"""
SPARE = {("q02", "own", "spare = publish(mandatory=True)", 1): "nothing reads it"}
GONE = {("q02", "own", "spare = publish(mandatory=True)", 2): "nothing reads it"}


def test_reasons_are_read(tmp_path):
    file = tmp_path / "reasons.toml"
    file.write_text(ROW + ROW + "nth = 2\n")
    assert read_reasons(file) == SPARE | GONE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW + ROW, "has two reasons for 'spare = publish.mandatory=True.' in 'own'"),
        (ROW.replace('reason = "nothing reads it"', ""), "must be a list of"),
        (ROW.replace("nothing reads it", ""), "must be a list of"),
        (ROW + 'why = "because"', "must be a list of"),
        (ROW + 'nth = "2"', "must be a list of"),
        ("[[mutant]", "is not TOML: "),
        ("mutant = 1", "must be a list of"),
        ("[[mutants]]", "must be a list of"),
    ],
)
def test_reasons_of_another_form_are_refused_in_one_sentence(tmp_path, text, message):
    file = tmp_path / "reasons.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_reasons(file)


def outcome(tiny, number, *, changed=(), problems=(), lacking=None, reason=""):
    ran = Comparison(frozenset(changed), tuple(problems), lacking or {})
    return Outcome.of(mutants_of(read(tiny), "q02")[number], ran, reason)


FAILED = Problem("own", (), "KeyError", "'x'\nand more")
CLAIM = Problem("check", ("q02.1",), "ClaimFailedError", "q02.1: it does not hold")
LATE = Problem("rest", (), "TimeLimit", "this cell took more than its 60 s")
MISSING = {"q02.1": "PostgreSQL is not used."}


def test_a_changed_card_or_a_failed_cell_notices(tiny):
    by_card = outcome(tiny, 0, changed=["q02.2", "q02.1"], reason="none")
    assert (by_card.word, by_card.detail) == ("noticed", "other cards: q02.1, q02.2")
    by_claim = outcome(tiny, 0, changed=["q02.2"], problems=[CLAIM])
    assert (by_claim.word, by_claim.detail) == ("noticed", "other cards: q02.1, q02.2")
    by_cell = outcome(tiny, 0, changed=["q02.1"], problems=[CLAIM, FAILED])
    assert (by_cell.word, by_cell.detail) == ("noticed", "cell (own): KeyError: 'x'")
    assert not by_cell.by_time_limit


def test_a_mutant_that_hangs_is_noticed_by_the_time_limit_of_its_cell(tiny):
    hung = outcome(tiny, 2, problems=[LATE])
    assert (hung.word, hung.by_time_limit) == ("noticed", True)
    assert hung.detail == "cell (rest): TimeLimit: this cell took more than its 60 s"


def test_what_nothing_noticed_is_explained_skipped_or_unnoticed(tiny):
    assert outcome(tiny, 1).word == "unnoticed"
    assert outcome(tiny, 1).detail == "spare = publish(mandatory=True)"
    assert outcome(tiny, 1, reason="nothing reads it").word == "explained"
    assert outcome(tiny, 1, lacking=MISSING, reason="nothing reads it").word == "explained"
    skipped = outcome(tiny, 1, lacking=MISSING)
    assert (skipped.word, skipped.detail) == ("skipped", "q02.1: PostgreSQL is not used.")


def test_the_end_of_the_report_counts_and_demands_a_reason(tiny, capsys):
    noticed, hung = outcome(tiny, 0, changed=["q02.1"]), outcome(tiny, 2, problems=[LATE])
    explained = outcome(tiny, 1, reason="nothing reads it")
    assert conclude([noticed, hung, explained], []) == 0
    assert capsys.readouterr().out == (
        "3 mutants: 2 noticed, 1 explained, 1 of the noticed ones by a cell's time limit\n"
    )
    assert conclude([noticed, outcome(tiny, 1)], []) == 1
    assert capsys.readouterr().out.splitlines() == [
        "no claim noticed: q02  own:2  mandatory=False → True",
        "    spare = publish(mandatory=True)",
        "2 mutants: 1 noticed, 1 unnoticed",
    ]
    assert conclude([noticed, outcome(tiny, 1, lacking=MISSING)], []) == 0
    assert capsys.readouterr().out == "2 mutants: 1 noticed, 1 skipped\n"


def test_a_reason_without_a_mutant_fails_the_report(tiny, capsys):
    assert conclude([outcome(tiny, 0, changed=["q02.1"])], list(GONE)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "a reason belongs to no mutant any more: q02  own  spare = publish(mandatory=True) (2)",
        "1 mutants: 1 noticed",
    ]


def test_the_list_shows_mutants_and_reasons_and_runs_nothing(tiny, capsys):
    assert show({"q02": tiny}, SPARE) == 0
    assert capsys.readouterr().out.splitlines() == [
        "q02  own:1  mandatory=True → False",
        "q02  own:2  mandatory=False → True",
        "    changes nothing: nothing reads it",
        "q02  rest:1  requeue=False → True",
        "q02  3 mutants",
    ]
    assert show({"q02": tiny}, GONE) == 1
    assert "a reason belongs to no mutant any more: q02" in capsys.readouterr().out


def test_the_command_lists_a_chosen_notebook(capsys):
    assert command_line.main(["mutants", "q07", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line[:3] for line in lines if not line.startswith(" ")} == {"q07"}
    assert lines[-1].endswith(" mutants")


def test_no_job_at_all_is_wrong_usage(capsys):
    assert command_line.main(["mutants", "--jobs", "0"]) == 2
    assert "error: Invalid value for '--jobs'" in capsys.readouterr().err


def test_a_mutant_runs_and_the_file_stays(tiny):
    before = tiny.read_bytes()
    noticed = judge(mutants_of(read(tiny), "q02")[0], tiny, reasons={})
    assert (noticed.word, noticed.detail) == ("noticed", "other cards: q02.1")
    assert tiny.read_bytes() == before


@pytest.mark.slow
def test_the_report_tries_each_mutant(tiny, capsys):
    assert report({"q02": tiny}, SPARE, jobs=2, timeout_s=5) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {tuple(line.split()[::4][:2]) for line in lines if " s  q02" in line} == {
        ("noticed", "own:1"),
        ("explained", "own:2"),
        ("noticed", "rest:1"),
    }
    assert lines[-1] == (
        "3 mutants: 2 noticed, 1 explained, 1 of the noticed ones by a cell's time limit"
    )


@pytest.mark.slow
def test_a_notebook_that_differs_without_any_change_is_not_tried(tiny, capsys):
    nb = read(tiny)
    nb.cells[3].outputs = [shown(card(copies=41))]
    write(nb, tiny)
    assert report({"q02": tiny}, {}, jobs=1) == 1
    assert capsys.readouterr().out == (
        "without any change: q02: another card than the stored one: q02.1\n"
    )
