"""Choose the cards of a day: what is due, then some new ones, mixed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from helpers.suite.drill import LEVELS
from practice import broken, gaps, material
from practice.cards import Card
from practice.schedule import Standing

NEW_A_DAY = 10


def every_card(questions: Sequence[str] = ()) -> list[Card]:
    """Return all cards: those that a learner's own mistakes made come first.

    Args:
        questions: only of these, such as "q09"; none: of all.

    Raises:
        UsageError: a rubric or a drill has another form.
    """
    wanted = [name for name in material.questions() if name in questions or not questions]
    own = [card for card in (*gaps.guesses(), *gaps.beliefs()) if card.question in wanted]
    return own + for_anybody(wanted)


def for_anybody(questions: Sequence[str]) -> list[Card]:
    """Return the cards of questions that no learner's mistakes made."""
    return [
        card for name in questions for card in (*material.of_question(name), *broken.cards(name))
    ]


@dataclass(frozen=True)
class Day:
    """What there is to do on a day."""

    due: tuple[Card, ...]
    new: tuple[Card, ...]
    waiting: int  # due cards on claims that others of today ask about; they come tomorrow
    unseen: int  # cards that were never asked, beyond the new ones of today

    @property
    def cards(self) -> list[Card]:
        """All cards of the day in the order in which they are asked."""
        return mixed([*self.due, *self.new])


def plan(cards: Iterable[Card], known: Mapping[str, Standing], today: date) -> Day:
    """Return what there is to do on a day.

    Args:
        cards: all cards.
        known: how each card stands that was ever reviewed.
        today: the learner's day.
    """
    every = list(cards)
    done = [card for card in every if card.id in known and known[card.id].last >= today]
    due = [card for card in every if card.id in known and _is_due(known[card.id], today)]
    due.sort(key=lambda card: (known[card.id].recall(today), card.id))
    fresh = [card for card in every if card.id not in known]
    begun = sum(known[card.id].reviews == 1 for card in done)
    claims = {claim for card in done for claim in card.claims}
    asked = list(_without_siblings(due, claims))
    new = list(_without_siblings(_in_turn(fresh, known.values()), claims))
    new = new[: max(0, NEW_A_DAY - begun)]
    return Day(tuple(asked), tuple(new), len(due) - len(asked), len(fresh) - len(new))


def _is_due(standing: Standing, today: date) -> bool:
    return standing.due <= today and standing.last < today


def _without_siblings(cards: Iterable[Card], claims: set[str]) -> Iterator[Card]:
    """Yield cards on claims that no card before them is about; ``claims`` grows by theirs."""
    for card in cards:
        if not claims & set(card.claims):
            claims |= set(card.claims)
            yield card


def _in_turn(fresh: Sequence[Card], known: Iterable[Standing]) -> list[Card]:
    """Return new cards: own mistakes first, then each question and each kind in turn."""
    seen = Counter(standing.card[:3] for standing in known)
    of_kind: Counter[tuple[str, str]] = Counter()
    rounds: dict[str, int] = {}  # of a card: how many of its kind and question come before it
    for card in sorted(fresh, key=_level):
        rounds[card.id] = of_kind[card.question, card.kind]
        of_kind[card.question, card.kind] += 1
    turns: dict[str, int] = {}  # how many of its question come before it, with those of old
    for card in sorted(fresh, key=lambda card: rounds[card.id]):
        turns[card.id] = seen[card.question]
        seen[card.question] += 1
    return sorted(fresh, key=lambda card: (not card.gap, turns[card.id], card.question))


def _level(card: Card) -> int:
    return LEVELS.index(card.level) if card.level in LEVELS else 0


def mixed(cards: Sequence[Card]) -> list[Card]:
    """Return cards in their order, but never two of one question in a row where others are left.

    Args:
        cards: in the order of their weight.
    """
    left, found = list(cards), list[Card]()
    while left:
        last = found[-1].question if found else ""
        other = next((card for card in left if card.question != last), left[0])
        left.remove(other)
        found.append(other)
    return found
