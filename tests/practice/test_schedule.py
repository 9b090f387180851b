"""When a card comes back."""

import time
from datetime import date, timedelta

import pytest

from practice import schedule, state
from practice.schedule import AGAIN, EASY, GOOD, HARD

START = date(2026, 11, 28)


@pytest.fixture
def due(learner):
    """Return the days until a card is due, after ratings each on the day when it was due."""

    def of(*ratings, sure=None, **options):
        days = []
        for rating in ratings:
            learner.reviewed("q09.x", rating, sure=sure)
            standing = schedule.standings(
                state.history().of("review"), today=learner.now.date(), **options
            )["q09.x"]
            days.append((standing.due - learner.now.date()).days)
            learner.later(days=days[-1])
        return days

    return of


@pytest.mark.parametrize(
    ("ratings", "days"),
    [
        ((GOOD, GOOD, GOOD, GOOD), [2, 11, 46, 163]),
        ((AGAIN, GOOD, GOOD, GOOD), [1, 2, 6, 17]),
        ((HARD, GOOD, GOOD, GOOD), [1, 5, 17, 50]),
    ],
)
def test_gaps_grow_with_what_is_remembered(due, ratings, days):
    assert due(*ratings) == days


def test_no_gap_is_longer_than_half_a_year(due):
    assert due(EASY, EASY, EASY, EASY)[-1] == schedule.LONGEST_DAYS


def test_an_interview_shortens_the_gaps(due):
    in_two_weeks = START + timedelta(14)
    assert due(EASY, interview=in_two_weeks) == [3]


def test_an_interview_that_has_passed_changes_nothing(due):
    assert due(GOOD, interview=START - timedelta(1)) == [2]


def test_sure_and_wrong_comes_back_after_a_day_and_a_week(due):
    """An error that somebody was sure of is corrected at once, and returns after a week."""
    days = due(AGAIN, EASY, EASY, sure=90)
    assert days[0] == 1 and sum(days) == schedule.COMES_BACK_DAYS[-1]


def test_unsure_and_wrong_does_not(due):
    assert sum(due(AGAIN, EASY, EASY, sure=60)) > schedule.COMES_BACK_DAYS[-1]


def test_of_a_day_the_first_rating_counts(learner):
    learner.reviewed("q09.x", AGAIN)
    for _ in range(5):
        learner.later(minutes=1)
        learner.reviewed("q09.x", EASY)
    standing = schedule.standings(state.history().of("review"), today=START)["q09.x"]
    assert (standing.reviews, standing.missed) == (1, 1)
    assert standing.due == START + timedelta(1)


def test_a_clock_that_went_back_breaks_nothing(learner):
    learner.reviewed("q09.x", GOOD)
    event = state.history().events[0]
    earlier = state.Event(event.id + "z", START - timedelta(400), "review", event.facts)
    standing = schedule.standings([event, earlier], today=START)["q09.x"]
    assert (standing.last, standing.reviews) == (START, 1)


def test_a_rating_that_is_none_is_passed_over(learner):
    learner.reviewed("q09.x", 7)
    assert schedule.standings(state.history().of("review"), today=START) == {}


def test_memory_fades(learner):
    learner.reviewed("q09.x", GOOD)
    standing = schedule.standings(state.history().of("review"), today=START)["q09.x"]
    recalls = [standing.recall(START + timedelta(days)) for days in (0, 2, 20, 200)]
    assert recalls == sorted(recalls, reverse=True) and recalls[0] == 1.0


def test_ten_thousand_reviews_are_replayed_at_once(learner):
    learner.reviewed("q09.x0", GOOD)
    line = state.path().read_text()
    days = [START + timedelta(n) for n in range(25)]
    lines = [
        line.replace("q09.x0", f"q09.x{n}").replace("2026-11-28", day.isoformat())
        .replace("20261128T170000.000", f"{day:%Y%m%d}T170000.{n:03}")
        for day in days for n in range(400)
    ]  # fmt: skip
    state.path().write_text("".join(lines))
    began = time.process_time()
    standings = schedule.standings(state.history().of("review"), today=days[-1])
    # 0.3 s on a quiet machine; a replay of each card's reviews for each review takes minutes.
    assert time.process_time() - began < 5.0
    assert len(standings) == 400 and all(one.reviews == 25 for one in standings.values())
