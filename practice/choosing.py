"""Choose what an interview asks: by what is nearly forgotten, by gaps, by level, and by a seed."""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from statistics import mean

from helpers.suite.drill import LEVELS
from practice import material
from practice.cards import Card
from practice.rubrics import Question, Rubric
from practice.schedule import known
from practice.state import History

UNSEEN = 0.5  # how well a card is remembered that was never asked
# What makes a question more, or less, worth asking; on the scale of a probability to remember.
BELIEF, GUESS, ASKED_LATELY = 0.3, 0.2, -0.5
LATELY = 2  # interviews


def ranking(cards: Sequence[Card], history: History, today: date, seed: str) -> list[str]:
    """Return the questions, the one most worth asking first.

    Args:
        cards: all cards, a learner's own among them.
        history: what was practised.
        today: the learner's day.
        seed: decides between equals.
    """
    standings = known(history, today)
    recall: dict[str, list[float]] = {}
    for card in cards:
        of_card = standings.get(card.id)
        remembered = of_card.recall(today) if of_card else UNSEEN
        recall.setdefault(card.question, []).append(remembered)
    lately = {name for one in history.of("interview")[-LATELY:] for name in one.facts["asked"]}
    draw = random.Random(seed)
    weights = {
        name: 1
        - mean(values)
        + BELIEF * _has(cards, name, "belief")
        + GUESS * _has(cards, name, "guess")
        + ASKED_LATELY * (name in lately)
        for name, values in recall.items()
    }
    chance = {name: draw.random() for name in sorted(weights)}
    return sorted(weights, key=lambda name: (-round(weights[name], 6), chance[name]))


def _has(cards: Sequence[Card], question: str, kind: str) -> bool:
    return any(card.question == question and card.kind == kind for card in cards)


def follow_up(
    rubric: Rubric, *, gaps: Collection[str], level: str, asked: Collection[str],
    draw: random.Random,
) -> Question | None:  # fmt: skip
    """Return the follow-up to ask next; None if all were asked.

    Args:
        rubric: of the question.
        gaps: the main points that were not made.
        level: what was reached: no higher one is asked, and of those that probe a gap the highest.
        asked: ids of those that were asked.
        draw: decides between equals.
    """
    levels = levels_of(rubric)
    left = [one for name, one in rubric.follow_ups.items() if name not in asked]
    fitting = [one for one in left if LEVELS.index(levels[one.id]) <= LEVELS.index(level)]
    if not fitting:
        return min(left, key=lambda one: LEVELS.index(levels[one.id]), default=None)
    chance = {one.id: draw.random() for one in fitting}
    return max(
        fitting,
        key=lambda one: (
            bool(set(one.after) & set(gaps)), LEVELS.index(levels[one.id]), chance[one.id],
        ),
    )  # fmt: skip


def levels_of(rubric: Rubric) -> Mapping[str, str]:
    """Return the level of each follow-up, as its notebook has it."""
    texts = {card.question: card.level for card in material.drill_of(rubric.question).follow_ups}
    return {name: texts[one.asked] for name, one in rubric.follow_ups.items()}


def staircase(level: str, *, good: int, bad: bool) -> str:
    """Return the next level: one up after two good answers in a row, one down after a bad one."""
    place = LEVELS.index(level) + (good >= 2) - bad
    return LEVELS[min(max(place, 0), len(LEVELS) - 1)]
