"""What a learner did, and what comes next."""

import pytest

from helpers import __main__ as command_line
from helpers import predict
from labs.judge import progress as labs
from labs.judge.findings import Broken
from labs.judge.model import Verdict
from practice import progress, state
from practice.schedule import AGAIN


@pytest.fixture
def rows(cards, learner):
    return lambda: progress.rows(cards, state.history(), learner.now.date())


@pytest.fixture
def steps(rows, learner):
    def of():
        steps = progress.next_steps(rows(), state.history(), learner.now.date())
        assert all(step.path is None or step.path.is_file() for step in steps)
        return [f"{step.says}: {step.command}" for step in steps]

    return of


def test_a_newcomer_begins_with_the_first_notebook(rows, steps):
    assert [row.question for row in rows()] == [f"q{n:02d}" for n in range(1, 11)]
    assert all(row.predictions >= 2 and row.turns >= 3 and row.cards > 40 for row in rows())
    assert not any(row.begun or row.read or row.lab or row.seen or row.due for row in rows())
    assert steps() == [
        "Work through notebooks/q01_event_driven.ipynb: make lab", "New cards: make practice",
    ]  # fmt: skip


def test_what_was_guessed_and_set_counts_once(rows):
    for measured in (60, 61):
        predict.commit("q09.3", "How many?", 15)
        predict.compare("q09.3", measured)
    for right in (False, True, True):
        predict.your_turn("q09 share", "Which?", 5, right=right, because="so")
    predict.commit("q09.2", "How many times?", 2)  # not compared yet
    row = rows()[8]
    assert (row.predicted, row.turns_right) == (1, 1) and row.begun and not row.read


def test_a_notebook_that_was_begun_comes_before_a_new_one(steps):
    predict.your_turn("q09 share", "Which?", 5, right=True, because="so")
    assert "Work through notebooks/q09_prefetch.ipynb: make lab" in steps()
    assert "Prove Q09 in its lab: make check LAB=09" in steps()


def test_a_lab_counts_as_it_was_checked_last(rows, steps):
    labs.keep(Verdict(5, (Broken("a", "", "memory-set"),), "", 3.0, "4.3.6"))
    assert rows()[4].lab == "5 of 6"
    assert "Lab 5 stands at 5 of 6: make check LAB=05" in steps()
    labs.keep(Verdict(5, (), "it hung", 3.0, "4.3.6"))
    assert rows()[4].lab == "0 of 6"
    labs.keep(Verdict(5, (), "", 3.0, "4.3.6"))
    assert rows()[4].lab == "holds" and not any("Lab 5" in step for step in steps())


def test_what_is_due_comes_first_and_an_interview_after_a_week(rows, steps, learner):
    learner.reviewed("q09.1.verdict", AGAIN)
    learner.later(days=1)
    assert rows()[8].due == 1 and rows()[8].seen == 1
    assert steps()[0] == "1 of your cards come back today: make practice"
    assert any("make interview" in step for step in steps())
    state.record("interview", learner.now, level="senior", asked=["q09"])
    assert not any("make interview" in step for step in steps())
    learner.later(days=progress.INTERVIEW_EVERY_DAYS)
    assert any("make interview" in step for step in steps())


def test_the_command_fits_forty_columns(learner, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    state.set_interview("2026-12-14", learner.now)
    assert command_line.main(["progress"]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 60  # a path is not broken
    assert max(map(len, printed.partition("\n\n")[0].splitlines())) <= 40
    assert "0 interviews held, yours is on 2026-12-14." in printed.replace("\n", " ")


def test_lines_that_are_none_change_nothing(learner, capsys):
    for file in (state.path(), predict.path(), labs.file()):
        file.write_text('{"cut off\n[1]\n{"key": 1}\n')
    assert command_line.main(["progress"]) == 0
    printed = capsys.readouterr().out
    assert "passed over" in printed and "Q10" in printed
