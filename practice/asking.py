"""Ask one card in a terminal, and derive its rating from what was answered."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from helpers.errors import UsageError
from practice import screen
from practice.cards import Card, Choice, Number, Points, Wanted
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


@dataclass(frozen=True)
class Review:
    """How a card went."""

    rating: int
    by: str  # "choice", "number" or "points"
    said: object
    sure: int | None
    seconds: float


def ask(card: Card, *, seed: str) -> Review:
    """Ask a card, show what is right, and return how it went.

    Args:
        card: what is asked.
        seed: decides in which order choices stand.

    Raises:
        StopAskingError: the learner ends it; nothing was decided then.
    """
    screen.show(card.front)
    if isinstance(card.wanted, Points):
        return _spoken(card, card.wanted)
    answer = decided(card.wanted, seed=f"{seed} {card.id}")
    print(f"\n{verdict_on(answer, card.wanted)}\n")
    screen.show(card.back)
    by = "choice" if isinstance(card.wanted, Choice) else "number"
    return Review(_rating(answer), by, answer.said, answer.sure, round(answer.seconds))


def decided(wanted: Wanted, *, seed: str) -> Answer:
    """Ask for a choice or a number, and for how sure the learner is; say nothing about it.

    Args:
        wanted: no points: these are not decided, but said.
        seed: decides in which order choices stand.

    Raises:
        StopAskingError: the learner ends it.
        UsageError: points are wanted.
    """
    began = time.monotonic()
    if isinstance(wanted, Choice):
        said: float | str | None = _chosen(wanted, seed)
        right = said == wanted.right
    elif isinstance(wanted, Number):
        unit = f" ({wanted.unit})" if wanted.unit else ""
        said = screen.ask_number(f"Your number{unit}, Enter if you don't know:")
        right = said is not None and _is_near(said, wanted)
    else:
        raise UsageError("points are marked by the learner, not decided")
    sure = screen.ask_sure() if said is not None else None
    return Answer(right, said, sure, time.monotonic() - began)


def verdict_on(answer: Answer, wanted: Wanted) -> str:
    """Return in a sentence whether an answer was right, and what is."""
    if answer.right:
        return "Right."
    if isinstance(wanted, Choice):
        return screen.wrapped(f"Right is: {wanted.right}")
    assert isinstance(wanted, Number)
    return f"Right is: {wanted.value:g} {wanted.unit}".rstrip() + "."


def _chosen(wanted: Choice, seed: str) -> str | None:
    options = list(wanted.options)
    random.Random(seed).shuffle(options)
    letters = ascii_lowercase[: len(options)]
    for letter, text in zip(letters, options, strict=True):
        print(screen.wrapped(f"{letter}  {text}"))
    line = screen.ask_one_of(f"\n{letters[0]} to {letters[-1]}, Enter if you don't know:",
                             letters + "-", "-")  # fmt: skip
    return None if line == "-" else options[letters.index(line)]


def _is_near(said: float, wanted: Number) -> bool:
    if said == wanted.value:
        return True
    if said * wanted.value <= 0:
        return False
    return max(said / wanted.value, wanted.value / said) <= wanted.near


def _rating(answer: Answer) -> int:
    if not answer.right:
        return AGAIN
    if answer.seconds > SLOW_S:
        return HARD
    return EASY if answer.sure is not None and answer.sure >= CERTAIN else GOOD


def _spoken(card: Card, wanted: Points) -> Review:
    began = time.monotonic()
    lines = headlines()
    seconds = time.monotonic() - began
    said = {point.id: mark(point, lines) for point in wanted.points}
    print()
    screen.show(wanted.answer)
    screen.show(card.back)
    return Review(rating_of_marks(list(said.values())), "points", said, None, round(seconds))


def headlines() -> list[str]:
    """Return the lines that a learner types, one for each point that was made aloud.

    Raises:
        StopAskingError: the learner ends it.
    """
    print("Say it aloud. Then type one line for each point you made; an empty line ends them.")
    lines: list[str] = []
    while line := screen.ask(f"{len(lines) + 1:3}"):
        lines.append(line)
    return lines


def mark(point: Point, lines: Sequence[str]) -> str:
    """Ask whether a point was made: "y", "n" or "p" for partly.

    A line that has its words is pointed to. Where none has, the learner has to type the words that
    were meant: after having read a point it is easy to believe that one said it.

    Args:
        point: the point.
        lines: what the learner typed before seeing any point.

    Raises:
        StopAskingError: the learner ends it.
    """
    print(screen.wrapped(f"• {point.says}"))
    line = next((n for n, text in enumerate(lines, 1) if points_to(text, point.like)), None)
    if line is not None:
        return screen.ask_one_of(f"  your line {line}? [y/n/p]", "ynp")
    marked = screen.ask_one_of("  no line of yours? [y/n/p, Enter = n]", "ynp", "n")
    if marked != "n" and not screen.ask("  in which words?"):
        return "n"
    return marked


def rating_of_marks(marks: Sequence[str]) -> int:
    """Return the rating of an answer: all its points, more than half of them, or fewer."""
    score = sum({"y": 1.0, "p": 0.5, "n": 0.0}[one] for one in marks)
    if score == len(marks):
        return GOOD
    return HARD if score > len(marks) / 2 else AGAIN
