"""What was practised: kept by the line, merged, forgotten, and read whatever befell the file."""

from datetime import date

import pytest

from helpers.errors import UsageError
from practice import state


def test_events_are_kept_and_read_in_their_order(learner):
    learner.reviewed("q09.idle-cpus", 3, sure=80)
    learner.later(days=1)
    learner.reviewed("q03.dlx", 1)
    history = state.history()
    assert [(one.day, one.facts["card"]) for one in history.events] == [
        (date(2026, 11, 28), "q09.idle-cpus"),
        (date(2026, 11, 29), "q03.dlx"),
    ]
    assert history.remark == "" and history.interview is None


def test_two_machines_are_merged_by_a_sort(learner):
    """Each line begins with its time, and a line that is there twice counts once."""
    for card in ("q01.a", "q02.b", "q03.c"):
        learner.reviewed(card, 3)
        learner.later(minutes=1)
    lines = state.path().read_text().splitlines()
    state.path().write_text("\n".join([lines[2], lines[0], *lines]) + "\n")
    assert [one.facts["card"] for one in state.history().events] == ["q01.a", "q02.b", "q03.c"]
    assert sorted(lines) == lines


def test_a_cut_off_line_costs_one_event_and_is_told(learner):
    learner.reviewed("q01.a", 3)
    with state.path().open("a") as file:
        file.write('{"id": "20261128T1700')
    learner.later(minutes=1)
    learner.reviewed("q02.b", 3)
    history = state.history()
    assert [one.facts["card"] for one in history.events] == ["q01.a", "q02.b"]
    assert "1 cut-off or broken" in history.remark


def test_events_of_a_newer_version_stay_and_are_told(learner):
    learner.reviewed("q01.a", 3)
    line = state.path().read_text()
    with state.path().open("a") as file:
        file.write(line.replace('"review"', '"dream"'))
        file.write(line.replace("q01.a", "q01.b").replace(": 3", ': "three"'))
    history = state.history()
    assert len(history.events) == 1
    assert "2 of a kind that this version does not know" in history.remark
    assert len(state.path().read_text().splitlines()) == 3


def test_a_forgotten_question_begins_anew(learner):
    learner.reviewed("q09.idle-cpus", 3)
    learner.reviewed("q03.dlx", 3)
    state.record("point", learner.now, ask="q09.main", point="bdp", said="y")
    learner.later(minutes=1)
    state.forget("q09", learner.now)
    learner.later(minutes=1)
    learner.reviewed("q09.w", 1)
    assert [one.facts["card"] for one in state.history().events] == ["q03.dlx", "q09.w"]


def test_the_interview_is_the_day_that_was_set_last(learner):
    state.set_interview("2026-12-14", learner.now)
    assert state.history().interview == date(2026, 12, 14)
    learner.later(minutes=1)
    state.set_interview("none", learner.now)
    assert state.history().interview is None


@pytest.mark.parametrize(
    ("day", "words"),
    [("tomorrow", "a day looks like"), ("2026-02-30", "a day"), ("2026-11-27", "has passed")],
)
def test_a_day_that_is_none_is_refused_and_nothing_is_kept(learner, day, words):
    with pytest.raises(UsageError, match=words):
        state.set_interview(day, learner.now)
    assert not state.path().exists()


def test_only_questions_can_be_forgotten(learner):
    with pytest.raises(UsageError, match="q01 to q10"):
        state.forget("everything", learner.now)
