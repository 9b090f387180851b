"""``make practice``: ten minutes a day; ``make interview``: thirty."""

import sys
import time
from collections.abc import Sequence
from datetime import datetime

import click

from helpers.errors import UsageError
from helpers.machine.paths import notebooks, shown
from helpers.suite.commands import NAMES, NOTEBOOKS
from helpers.suite.drill import LEVELS
from practice import asking, deck, material, progress, proving, schedule, screen, state, terminal
from practice.cards import KINDS, Card, Choice, Number
from practice.interview import Interview, earlier

MINUTES = 10.0
INTERVIEW_MINUTES = 30.0


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option("--minutes", type=click.FloatRange(min=0.5), default=MINUTES, show_default=True,
              help="No further card is asked after that time.")  # fmt: skip
@click.option("--level", type=click.Choice(LEVELS), help="Only cards of this level.")
@click.option("--kind", type=click.Choice(KINDS), help="Only cards of this kind.")
@click.option("--interview", metavar="DAY", help="The day of your interview, or none.")
@click.option("--forget", metavar="QUESTION", help="Begin anew with a question, such as q09.")
@click.option("--all", "everything", is_flag=True, help="Print cards and answers, ask nothing.")
def practice(
    *, names: Sequence[str], minutes: float, level: str | None, kind: str | None,
    interview: str | None, forget: str | None, everything: bool,
) -> int:  # fmt: skip
    """Ask what is due today, and some new cards.

    Raises:
        UsageError: an unknown notebook, a day or a question that is none, or no card fits.
        NotWrittenError: the disk is full, or the learner's folder cannot be written.
    """
    if interview is not None:
        state.set_interview(interview, now())
    if forget is not None:
        state.forget(forget, now())
        print(f"What you practised of {forget} until now no longer counts.")
    cards = [
        card for card in deck.every_card(_questions(names))
        if level in (None, card.level) and kind in (None, card.kind)
    ]  # fmt: skip
    if not cards:
        raise UsageError("there is no such card: leave --level, --kind or the notebook's name out")
    if everything:
        for card in cards:
            _print(card)
        return 0
    return _ask(cards, minutes * 60)


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option("--level", type=click.Choice(LEVELS), default="senior", show_default=True,
              help="Where it begins: two good answers raise it, a bad one lowers it.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=1), default=INTERVIEW_MINUTES,
              show_default=True, help="What would come after that time is left out.")  # fmt: skip
@click.option("--seed", help="The same seed and history ask the same questions.")
def interview(*, names: Sequence[str], level: str, minutes: float, seed: str | None) -> int:
    """Hold an interview: speak aloud, mark your points, be cross-examined, prove it.

    Raises:
        UsageError: an unknown notebook.
        NotWrittenError: the disk is full, or the learner's folder cannot be written.
    """
    history, began = state.history(), time.monotonic()
    seed = seed or f"{now():%Y-%m-%d} {len(history.of('interview'))}"
    held = Interview(
        level, minutes * 60, seed, deck.every_card(_questions(names)), history, now,
        lambda: time.monotonic() - began, proving.possible,
    )  # fmt: skip
    if history.remark:
        print(f"{history.remark}\n")
    try:
        terminal.play(held.script(), seed=seed)
    except (screen.StopAskingError, KeyboardInterrupt):
        print("\nThe interview ends here; what you answered is kept.\n")
    if held.sheet.made:
        terminal.show(held.sheet, [*held.sheet.words(earlier(history)), *_after(held)])
    return 0


@click.command
def show_progress() -> int:
    """Show what you did, what comes back today, and what to do next."""
    history, today = state.history(), now().date()
    if history.remark:
        print(f"{history.remark}\n")
    found = progress.rows(deck.every_card(), history, today)
    print(f"{progress.table(found)}\n")
    print(screen.wrapped(progress.interviews(history)))
    print("\nNext:")
    for step in progress.next_steps(found, history, today):
        print(screen.wrapped(f"- {step}"))
    return 0


def _after(held: Interview) -> list[str]:
    """Return what to do next: read, do the lab, come back."""
    question = held.about[0]
    number = int(question[1:])
    found = [f"Read: {shown(notebooks()[number])}. Do: `make check LAB={number:02d}`."]
    if gaps := held.sheet.gaps():
        found.append(f"Open: {'; '.join(one.point.says for one in gaps)}.")
    return [*found, _next(state.history())]


def now() -> datetime:
    """Return the time, with the zone of this machine."""
    return datetime.now().astimezone()


def _questions(names: Sequence[str]) -> list[str]:
    from helpers.suite.notebooks import find

    chosen = [path.name[:3] for path in find(names)] if names else []
    if unknown := [name for name in chosen if name not in material.questions()]:
        raise UsageError(f"there are no cards for {', '.join(unknown)}")
    return chosen


def _ask(cards: Sequence[Card], seconds: float) -> int:
    history = state.history()
    if history.remark:
        print(f"{history.remark}\n")
    today = deck.plan(cards, history, now().date())
    queue = today.cards
    if not queue:
        print(f"Nothing is due today. {_next(history)}")
        return 0
    print(screen.wrapped(
        f"{_count(len(today.due), 'card')} due, {len(today.new)} new. Nothing is sent anywhere;"
        f" q ends, and what you answered is kept."
    ))  # fmt: skip
    if not sys.stdin.isatty():
        print("There is no terminal: answers are read from the standard input.")
    began, done, right = time.monotonic(), 0, 0
    for number, card in enumerate(queue, 1):
        if time.monotonic() - began > seconds:
            print(f"\nTime is over: {_count(len(queue) - done, 'card')} left for later.")
            break
        print(f"\n── {number} of {len(queue)} · {card.question.upper()} · {_head(card)}\n")
        try:
            review = asking.ask(card, seed=now().date().isoformat())
        except (screen.StopAskingError, KeyboardInterrupt):
            print("\nUntil next time.")
            break
        state.record(
            "review", now(), card=card.id, rating=review.rating, by=review.by, said=review.said,
            sure=review.sure, seconds=review.seconds,
        )  # fmt: skip
        done, right = done + 1, right + (review.rating != schedule.AGAIN)
    print(f"\n{_count(done, 'card')} answered, {right} of them right. {_next(state.history())}")
    return 0


def _next(history: state.History) -> str:
    today = now().date()
    known = schedule.standings(history.of("review"), today=today, interview=history.interview)
    later = [one.due for one in known.values() if one.due > today]
    if not later:
        return "New cards come tomorrow."
    first = min(later)
    number = later.count(first)
    come = "comes" if number == 1 else "come"
    return f"{_count(number, 'card')} {come} back on {first:%A}, {first}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _head(card: Card) -> str:
    return f"{card.kind} · {card.level}" if card.level else card.kind


def _print(card: Card) -> None:
    print(f"── {card.id} · {_head(card)}\n")
    screen.show(card.front)
    if isinstance(card.wanted, Choice):
        screen.show("\n\n".join(f"- {text}" for text in card.wanted.options))
        screen.show(f"Right: {card.wanted.right}")
    elif isinstance(card.wanted, Number):
        screen.show(f"Right: {card.wanted.value:g} {card.wanted.unit}".rstrip())
    else:
        screen.show("\n".join(f"- {point.says}" for point in card.wanted.points))
        screen.show(card.wanted.answer)
    screen.show(card.back)
