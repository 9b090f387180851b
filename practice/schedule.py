"""When a card comes back: FSRS in steps of a day, computed anew from the events each time.

Source: https://github.com/open-spaced-repetition/py-fsrs, with its default parameters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from fsrs import Card, Rating, Scheduler

from practice.state import Event, History

AGAIN, HARD, GOOD, EASY = (int(rating) for rating in Rating)
LONGEST_DAYS = 180
SURE = 75  # percent: an error of which somebody was that sure comes back, although corrected
COMES_BACK_DAYS = (1, 7)
# Of the days until an interview: the best gap between two reviews (Cepeda et al., 2008).
GAP = 0.2

# Steps of minutes would make "all done" false a minute later, and chance a replay differ.
_SCHEDULER = Scheduler(
    learning_steps=(), relearning_steps=(), maximum_interval=LONGEST_DAYS, enable_fuzzing=False
)


@dataclass(frozen=True)
class Standing:
    """How a card stands after its reviews."""

    card: str
    due: date
    last: date
    reviews: int  # days on which it was reviewed
    missed: int  # how many of these began with a miss
    memory: Card

    def recall(self, today: date) -> float:
        """Return the probability, 0 to 1, that it is remembered on a day."""
        return _SCHEDULER.get_card_retrievability(self.memory, _noon(today))


def known(history: History, today: date) -> dict[str, Standing]:
    """Return how each card stands that was ever reviewed, by its id.

    Args:
        history: what was practised.
        today: the learner's day.
    """
    return standings(history.of("review"), today=today, interview=history.interview)


def standings(
    reviews: Iterable[Event], *, today: date, interview: date | None = None
) -> dict[str, Standing]:
    """Return how each card stands.

    Args:
        reviews: events of the kind "review", oldest first. Of a day the first one counts: rating a
            card again until it is right would only show that one just saw it.
        today: the learner's day.
        interview: its day; the gaps are then short enough for a last look before it.

    Returns:
        Card id to standing.
    """
    cards: dict[str, Card] = {}
    days: dict[str, list[tuple[date, int, bool]]] = {}
    for event in reviews:
        rating, name = event.facts["rating"], event.facts["card"]
        if rating not in (AGAIN, HARD, GOOD, EASY):
            continue
        known = days.setdefault(name, [])
        day = max(event.day, known[-1][0]) if known else event.day  # a clock that went back
        if known and day == known[-1][0]:
            continue
        sure = event.facts.get("sure")
        confident = rating == AGAIN and isinstance(sure, int | float) and sure >= SURE
        known.append((day, rating, confident))
        card = cards.get(name) or Card(card_id=len(cards))
        cards[name], _ = _SCHEDULER.review_card(card, Rating(rating), _noon(day))
    gap = _longest_gap(today, interview)
    return {
        name: Standing(
            name,
            due=_due(card, days[name], gap),
            last=days[name][-1][0],
            reviews=len(days[name]),
            missed=sum(rating == AGAIN for _, rating, _ in days[name]),
            memory=card,
        )
        for name, card in cards.items()
    }


def _due(card: Card, reviews: list[tuple[date, int, bool]], gap: int) -> date:
    last = reviews[-1][0]
    dues = [card.due.date(), last + timedelta(gap)]
    for day, _, confident in reviews:
        if confident:
            dues += [back for n in COMES_BACK_DAYS if (back := day + timedelta(n)) > last]
    return min(dues)


def _longest_gap(today: date, interview: date | None) -> int:
    if interview is None or interview < today:
        return LONGEST_DAYS
    return max(1, round(GAP * (interview - today).days))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
