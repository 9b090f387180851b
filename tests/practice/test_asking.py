"""One card in a terminal: what is asked, what counts, and what ends it."""

import pytest

from practice import asking, screen
from practice.cards import Card, Choice, Number, Points
from practice.rubrics import Point
from practice.schedule import AGAIN, EASY, GOOD, HARD

POINTS = tuple(
    Point(name, "", f"It says {name}", (f"{name}*",), ("q09.1",), "", "")
    for name in ("window", "crash", "order")
)
SPOKEN = Points(POINTS, "The whole answer.")
NUMBER = Number(60.0, "messages")
CHOICE = Choice(("holds", "refuted", "holds if X"), "refuted")


@pytest.fixture
def rated(learner):
    def of(wanted, *answers, seed="1", kind="probe"):
        learner.answers = list(answers)
        card = Card("q09.x", kind, "", "The question?", wanted, "The reason.")
        return asking.ask(card, seed=seed)

    return of


def letter_of(capsys, learner, wanted, text, seed="1"):
    """Return the letter under which a choice is shown."""
    learner.answers = ["", ""]
    asking.ask(Card("q09.x", "probe", "", "?", wanted, ""), seed=seed)
    lines = capsys.readouterr().out.splitlines()
    return next(line[0] for line in lines if line[1:].strip() == text)


def test_a_choice_is_right_or_wrong(rated, learner, capsys):
    letter = letter_of(capsys, learner, CHOICE, "refuted")
    assert rated(CHOICE, letter, "50").rating == GOOD
    assert "Right.\n\nThe reason." in capsys.readouterr().out
    wrong = next(one for one in "abc" if one != letter)
    review = rated(CHOICE, wrong, "90")
    assert (review.rating, review.sure, review.by) == (AGAIN, 90, "choice")
    assert "Right is: refuted" in capsys.readouterr().out


def test_right_and_certain_is_easy_and_not_to_know_is_a_miss(rated, learner, capsys):
    letter = letter_of(capsys, learner, CHOICE, "refuted")
    assert rated(CHOICE, letter, "95").rating == EASY
    review = rated(CHOICE, "")
    assert (review.rating, review.said, review.sure) == (AGAIN, None, None)


def test_choices_stand_in_another_order_on_another_day(learner, capsys):
    letters = {letter_of(capsys, learner, CHOICE, "refuted", seed=str(n)) for n in range(9)}
    assert len(letters) > 1


@pytest.mark.parametrize(
    ("typed", "near", "rating"),
    [("60", 1.0, GOOD), ("61", 1.0, AGAIN), ("64 messages", 1.1, GOOD), ("-60", 1.1, AGAIN),
     ("0", 1.1, AGAIN), ("6e1", 1.0, GOOD), ("", 1.0, AGAIN)],
)  # fmt: skip
def test_numbers(rated, typed, near, rating):
    assert rated(Number(60.0, "messages", near), typed, "50").rating == rating


def test_a_verdict_is_explained_before_its_reason_is_shown(rated, capsys):
    review = rated(CHOICE, "a", "50", "it counts copies", kind="verdict")
    assert (review.why, review.leaves) == ("it counts copies", False)
    printed = capsys.readouterr().out
    assert printed.index("it counts copies") < printed.index("The reason.")
    review = rated(CHOICE, "", kind="verdict")  # who does not know cannot explain
    assert (review.said, review.why, review.leaves) == (None, "", False)


@pytest.mark.parametrize("answers", [("a", "50", "q"), ("a", "50")])
def test_who_leaves_at_the_reason_keeps_the_answer(rated, answers):
    review = rated(CHOICE, *answers, kind="verdict")
    assert review.said is not None and review.leaves


def test_zero_can_be_right(rated):
    assert rated(Number(0.0), "0", "").rating == GOOD


def test_what_is_no_number_is_asked_again(rated, capsys):
    review = rated(NUMBER, "sixty", "60", "very", "120", "50")
    assert (review.rating, review.said, review.sure) == (GOOD, 60.0, 50)
    printed = capsys.readouterr().out
    assert "A number, please" in printed and "From 0, a guess, to 100" in printed


def test_points_are_marked_one_by_one_before_the_answer_is_shown(rated, capsys):
    review = rated(SPOKEN, "a Window of n", "what a crash costs", "", "y", "p", "n")
    assert review.said == {"window": "y", "crash": "p", "order": "n"}
    assert review.rating == AGAIN
    printed = capsys.readouterr().out
    assert "your line 1?" in printed and "your line 2?" in printed
    assert printed.index("It says order") < printed.index("The whole answer.")


def test_a_point_without_a_line_costs_its_words(rated):
    """After having read a point it is easy to believe that one said it."""
    lines = ("window", "crash", "")
    assert rated(SPOKEN, *lines, "y", "y", "y", "").said["order"] == "n"
    assert rated(SPOKEN, *lines, "y", "y", "y", "in sequence").rating == GOOD
    assert rated(SPOKEN, *lines, "y", "y", "").rating == HARD


@pytest.mark.parametrize("answers", [("q",), ("Q",), ("window", "", "q"), ()])
def test_q_and_the_end_of_the_input_end_a_card_undecided(rated, answers):
    with pytest.raises(screen.StopAskingError):
        rated(SPOKEN, *answers)


def test_a_line_fits_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = screen.wrapped("A [link](https://www.rabbitmq.com/docs) and " + "words " * 30)
    assert "link and" in text and "https" not in text
    assert max(map(len, text.splitlines())) <= 40


def test_code_keeps_its_lines():
    code = "def f():\n    return 1  # " + "x" * 100
    assert code in screen.wrapped(f"Look:\n\n```python\n{code}\n```\n\nWell?")
