"""The cards that come back: a question each, what is wanted, and what stands behind it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from practice.rubrics import Point

KINDS = (
    "two minutes", "follow-up", "probe", "wrong answer", "verdict", "generations", "broken code",
    "guess", "belief",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One of some texts is right."""

    options: tuple[str, ...]  # as they are shown
    right: str


@dataclass(frozen=True)
class Number:
    """A number is right, or near it."""

    value: float
    unit: str = ""
    near: float = 1.0  # the factor up to which a number counts as right


@dataclass(frozen=True)
class Points:
    """A spoken answer has these points, and the learner says which were in it."""

    points: tuple[Point, ...]
    answer: str  # in Markdown


Wanted = Choice | Number | Points


@dataclass(frozen=True, repr=False)
class Card:
    """A card; its id never changes, whatever becomes of its words."""

    id: str  # such as "q09.idle-cpus"
    kind: str  # one of KINDS
    level: str  # "junior", "senior" or "staff"; "" if it has none
    front: str  # Markdown
    wanted: Wanted
    back: str  # Markdown: why that is so, and where it is shown
    claims: tuple[str, ...] = ()  # two cards on one claim are not asked on one day
    gap: str = ""  # what the learner showed that this card answers, in a sentence; "" for none

    def __repr__(self) -> str:
        return f"Card({self.id}, {self.kind})"

    @property
    def question(self) -> str:
        """The question that it belongs to, such as "q09"."""
        return self.id[:3]


def choice(right: str, others: Iterable[str], *, seed: str, most: int = 4) -> Choice:
    """Return a choice with the right text and others, in an order of chance.

    Args:
        right: the right text.
        others: wrong ones; if there are too many, chance takes some.
        seed: the order is the same for the same seed.
        most: how many texts at most.
    """
    draw = random.Random(seed)
    wrong = [text for text in dict.fromkeys(others) if text != right]
    texts = [right, *draw.sample(wrong, min(most - 1, len(wrong)))]
    draw.shuffle(texts)
    return Choice(tuple(texts), right)
