"""Ask one card in a terminal, and derive its rating from what was answered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from practice import judging, screen
from practice.cards import Card, Choice, Number, Points, Wanted
from practice.judging import Answer
from practice.rubrics import Point


@dataclass(frozen=True)
class Review:
    """How a card went."""

    rating: int
    by: str  # "choice", "number" or "points"
    said: object
    sure: int | None
    seconds: float
    why: str = ""  # in the learner's words, before the reason was shown
    leaves: bool = False  # the learner ends it after this card


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
    asked_why = card.kind == "verdict" and answer.said is not None
    why, leaves = _why() if asked_why else ("", False)
    screen.show(card.back)
    by = "choice" if isinstance(card.wanted, Choice) else "number"
    rating, seconds = judging.rating(answer), round(answer.seconds)
    return Review(rating, by, answer.said, answer.sure, seconds, why, leaves)


def _why() -> tuple[str, bool]:
    """Return the learner's reason, and whether it is the end: the card was decided before.

    Who explains a result to himself keeps it (Bisra et al., 2018).
    """
    try:
        line = screen.ask("Why is that so? One line, Enter to see it:")
    except screen.StopAskingError:
        return "", True
    print()
    return line, False


def decided(wanted: Wanted, *, seed: str) -> Answer:
    """Ask for a choice or a number, and for how sure the learner is; say whether it was right.

    Args:
        wanted: no points: these are not decided, but said.
        seed: decides in which order choices stand.

    Raises:
        StopAskingError: the learner ends it.
        UsageError: points are wanted.
    """
    began = time.monotonic()
    said: float | str | None = None
    if isinstance(wanted, Choice):
        said = _chosen(wanted, seed)
    elif isinstance(wanted, Number):
        unit = f" ({wanted.unit})" if wanted.unit else ""
        said = screen.ask_number(f"Your number{unit}, Enter if you don't know:")
    right = judging.is_right(wanted, said)
    sure = screen.ask_sure() if said is not None else None
    answer = Answer(right, said, sure, time.monotonic() - began)
    print(f"\n{screen.wrapped(judging.verdict_on(answer, wanted))}\n")
    return answer


def _chosen(wanted: Choice, seed: str) -> str | None:
    options = judging.lettered(wanted, seed)
    for letter, text in options.items():
        print(screen.wrapped(f"{letter}  {text}"))
    letters = "".join(options)
    line = screen.ask_one_of(f"\n{letters[0]} to {letters[-1]}, Enter if you don't know:",
                             letters + "-", "-")  # fmt: skip
    return options.get(line)


def _spoken(card: Card, wanted: Points) -> Review:
    began = time.monotonic()
    lines = headlines()
    seconds = time.monotonic() - began
    said = {point.id: mark(point, lines) for point in wanted.points}
    print()
    screen.show(wanted.answer)
    screen.show(card.back)
    rating = judging.rating_of_marks(list(said.values()))
    return Review(rating, "points", said, None, round(seconds))


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
    line = judging.line_with(point, lines)
    if line is not None:
        return screen.ask_one_of(f"  your line {line}? [y/n/p]", "ynp")
    marked = screen.ask_one_of("  no line of yours? [y/n/p, Enter = n]", "ynp", "n")
    if marked != "n" and not screen.ask("  in which words?"):
        return "n"
    return marked
