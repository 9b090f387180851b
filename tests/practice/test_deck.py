"""What is asked on a day: due cards, new ones, no two siblings, and one question after another."""

from collections import Counter
from datetime import timedelta

import pytest

from practice import deck, schedule, state
from practice.cards import Card, Choice
from practice.schedule import AGAIN, GOOD

QUESTIONS = [f"q{n:02d}" for n in range(1, 11)]


def card(name: str, *claims: str, kind: str = "probe", level: str = "", gap: str = "") -> Card:
    return Card(name, kind, level, "?", Choice(("a", "b"), "a"), "!", claims, gap)


@pytest.fixture
def plan(learner):
    def of(cards):
        today = learner.now.date()
        return deck.plan(cards, schedule.known(state.history(), today), today)

    return of


def test_ten_new_cards_a_day_from_every_question_in_turn(plan, learner):
    cards = [card(f"{question}.{n}") for question in QUESTIONS for n in range(5)]
    day = plan(cards)
    assert [one.id for one in day.new] == [f"{question}.0" for question in QUESTIONS]
    assert (day.due, day.unseen) == ((), 40)
    for one in day.new[:4]:
        learner.reviewed(one.id, GOOD)
    assert len(plan(cards).new) == deck.NEW_A_DAY - 4


def test_a_days_new_cards_are_used_up(plan, learner):
    cards = [card(f"q01.{n}") for n in range(30)]
    for one in plan(cards).new:
        learner.reviewed(one.id, GOOD)
    assert plan(cards).cards == []
    learner.later(days=1)
    assert len(plan(cards).new) == deck.NEW_A_DAY


def test_own_mistakes_come_first_and_junior_before_staff(plan):
    cards = [
        card("q01.staff", level="staff"), card("q01.junior", level="junior"),
        card("q02.belief", gap="Lab 2 showed it."),
    ]  # fmt: skip
    assert [one.id for one in plan(cards).new] == ["q02.belief", "q01.junior", "q01.staff"]


def test_kinds_take_turns(plan):
    kinds = ("verdict", "probe", "wrong answer")
    cards = [card(f"q01.{kind}{n}", kind=kind) for kind in kinds for n in range(5)]
    assert [one.kind for one in plan(cards).new[:6]] == [*kinds, *kinds]


def test_two_cards_on_one_claim_are_not_asked_on_one_day(plan, learner):
    cards = [card("q09.verdict", "q09.1"), card("q09.wrong", "q09.1", "q09.2"), card("q03.x")]
    assert [one.id for one in plan(cards).new] == ["q03.x", "q09.verdict"]
    learner.reviewed("q09.verdict", AGAIN)
    assert [one.id for one in plan(cards).cards] == ["q03.x"]
    learner.later(days=1)
    day = plan(cards)
    assert [one.id for one in day.due] == ["q09.verdict"]
    assert "q09.wrong" not in [one.id for one in day.new]


def test_a_due_card_waits_for_its_sibling(plan, learner):
    cards = [card("q09.a", "q09.1"), card("q09.b", "q09.1")]
    learner.reviewed("q09.a", AGAIN)
    learner.reviewed("q09.b", AGAIN)
    learner.later(days=1)
    day = plan(cards)
    assert (len(day.due), day.waiting) == (1, 1)


def test_what_is_nearly_forgotten_is_asked_first(plan, learner):
    cards = [card("q01.a"), card("q02.b")]
    learner.reviewed("q01.a", AGAIN)
    learner.later(days=10)
    learner.reviewed("q02.b", AGAIN)
    learner.later(days=5)
    assert [one.id for one in plan(cards).due] == ["q01.a", "q02.b"]


def test_never_two_of_one_question_in_a_row_while_others_are_left():
    cards = [card(f"q01.{n}") for n in range(3)] + [card(f"q02.{n}") for n in range(2)]
    asked = [one.question for one in deck.mixed(cards)]
    assert asked == ["q01", "q02", "q01", "q02", "q01"]
    assert [one.id for one in deck.mixed(cards[:3])] == ["q01.0", "q01.1", "q01.2"]


def test_ten_days_of_practice(plan, learner):
    """Each day ten new ones at most, those missed come back the next day, and none is lost."""
    cards = [card(f"{question}.{n}") for question in QUESTIONS for n in range(12)]
    seen, missed = set(), set()
    for number in range(10):
        day = plan(cards)
        asked = {one.id for one in day.cards}
        assert missed <= asked and len(day.new) == deck.NEW_A_DAY
        assert not seen & {one.id for one in day.new}
        missed = {one.id for n, one in enumerate(day.cards) if n % 4 == number % 4}
        for one in day.cards:
            learner.reviewed(one.id, AGAIN if one.id in missed else GOOD)
            learner.later(seconds=20)
        assert plan(cards).cards == []
        seen |= asked
        learner.later(days=1)
    assert len(seen) == 10 * deck.NEW_A_DAY
    assert set(Counter(name[:3] for name in seen).values()) == {10}


def test_a_clock_that_went_back_asks_nothing_twice(plan, learner):
    learner.reviewed("q01.a", AGAIN)
    learner.now -= timedelta(days=3)
    assert plan([card("q01.a")]).cards == []
