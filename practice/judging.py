"""What an answer is worth: right or wrong, which points it has, and the rating that follows."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from helpers.errors import UsageError
from practice.cards import Choice, Number, Wanted
from practice.pointing import points_to
from practice.rubrics import Point
from practice.schedule import AGAIN, EASY, GOOD, HARD

CERTAIN = 90  # percent
SLOW_S = 120.0  # twice what a card is meant to take


@dataclass(frozen=True)
class Answer:
    """What a learner answered to something that can be decided."""

    right: bool
    said: float | str | None  # None: "I don't know"
    sure: int | None  # percent
    seconds: float


def lettered(wanted: Wanted, seed: str) -> dict[str, str]:
    """Return the options of a choice by letter, in an order of chance; none of a number.

    Args:
        wanted: what is asked for.
        seed: the order is the same for the same seed.
    """
    options = list(wanted.options) if isinstance(wanted, Choice) else []
    random.Random(seed).shuffle(options)
    return dict(zip(ascii_lowercase, options, strict=False))


def is_right(wanted: Wanted, said: float | str | None) -> bool:
    """Return whether a choice or a number is right.

    Args:
        wanted: no points: these are not decided, but said.
        said: None for "I don't know".

    Raises:
        UsageError: points are wanted.
    """
    if isinstance(wanted, Choice):
        return said == wanted.right
    if isinstance(wanted, Number):
        return isinstance(said, float) and _is_near(said, wanted)
    raise UsageError("points are marked by the learner, not decided")


def _is_near(said: float, wanted: Number) -> bool:
    if said == wanted.value:
        return True
    if said * wanted.value <= 0:
        return False
    return max(said / wanted.value, wanted.value / said) <= wanted.near


def verdict_on(answer: Answer, wanted: Wanted) -> str:
    """Return in a sentence whether an answer was right, and what is."""
    if answer.right:
        return "Right."
    if isinstance(wanted, Choice):
        return f"Right is: {wanted.right}"
    assert isinstance(wanted, Number)
    return f"Right is: {wanted.value:g} {wanted.unit}".rstrip() + "."


def rating(answer: Answer) -> int:
    """Return the rating of an answer that was decided."""
    if not answer.right:
        return AGAIN
    if answer.seconds > SLOW_S:
        return HARD
    return EASY if answer.sure is not None and answer.sure >= CERTAIN else GOOD


def line_with(point: Point, lines: Sequence[str]) -> int | None:
    """Return the number, from 1, of the first line that has a point's words; None if none has."""
    return next((n for n, text in enumerate(lines, 1) if points_to(text, point.like)), None)


def rating_of_marks(marks: Sequence[str]) -> int:
    """Return the rating of an answer: all its points, more than half of them, or fewer.

    Args:
        marks: of its points: "y", "p" for partly, or "n".
    """
    score = sum({"y": 1.0, "p": 0.5, "n": 0.0}[one] for one in marks)
    if score == len(marks):
        return GOOD
    return HARD if score > len(marks) / 2 else AGAIN
