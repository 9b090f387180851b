"""What a learner calls: JupyterLab, ten minutes of practice, an interview of thirty, progress."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from helpers.errors import UsageError
from helpers.machine.paths import shown, work
from helpers.suite.commands import NAMES, NOTEBOOKS
from helpers.suite.drill import LEVELS
from practice import (
    asking,
    deck,
    holding,
    material,
    progress,
    schedule,
    screen,
    start,
    state,
    terminal,
)
from practice.cards import KINDS, Card, Choice, Number

MINUTES = 10.0


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
        state.set_interview(interview, state.now())
    if forget is not None:
        state.forget(forget, state.now())
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
@click.option("--level", type=click.Choice(LEVELS), default=holding.LEVEL, show_default=True,
              help="Where it begins: two good answers raise it, a bad one lowers it.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=1), default=holding.MINUTES,
              show_default=True, help="What would come after that time is left out.")  # fmt: skip
@click.option("--seed", help="The same seed and history ask the same questions.")
def interview(*, names: Sequence[str], level: str, minutes: float, seed: str | None) -> int:
    """Hold an interview: speak aloud, mark your points, be cross-examined, prove it.

    Raises:
        UsageError: an unknown notebook.
        NotWrittenError: the disk is full, or the learner's folder cannot be written.
    """
    held = holding.begin(_questions(names), level=level, minutes=minutes, seed=seed)
    if held.history.remark:
        print(f"{held.history.remark}\n")
    try:
        terminal.play(held.script(), seed=held.seed)
    except (screen.StopAskingError, KeyboardInterrupt):
        print("\nThe interview ends here; what you answered is kept.\n")
    if held.sheet.made:
        terminal.show(held.sheet, holding.closing(held))
    return 0


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option(
    "--file", type=click.Path(path_type=Path), help="The deck; default work/rabbit-lab.apkg."
)
def write_anki(*, names: Sequence[str], file: Path | None) -> int:
    """Write the cards as a deck for Anki, a learner's own among them.

    Raises:
        UsageError: an unknown notebook.
        NotWrittenError: the disk is full, or the user may not write there.
    """
    from practice import anki

    file = file or work() / "rabbit-lab.apkg"
    number = anki.write(deck.every_card(_questions(names)), file)
    print(
        f"{shown(file)} is written: {number} notes. In Anki: File → Import. Import a later one the"
        " same way: it updates these, and keeps what you have learned."
    )
    return 0


@click.command
@click.option("--no-browser", is_flag=True, help="Open no browser.")
@click.option("--ip", default="127.0.0.1", help="Address to listen on.", show_default=True)
@click.option("--port", type=int, help="Port to listen on; without it, 8888 or the next free one.")
@click.option("--published", type=int, help="Port by which a container's JupyterLab is reached.")
def lab(no_browser: bool, ip: str, port: int | None, published: int | None) -> int:
    """Run JupyterLab until Ctrl-C; it opens on the page of what was done and comes next."""
    from helpers.suite import jupyterlab

    return jupyterlab.run(
        ip=ip, port=port, published=published, browser=not no_browser, first=start.write
    )


@click.command
def show_progress() -> int:
    """Show what you did, what comes back today, and what to do next."""
    found = progress.look(deck.every_card(), state.history(), state.now().date())
    if found.history.remark:
        print(f"{found.history.remark}\n")
    print(f"{progress.table(found.rows)}\n")
    print(screen.wrapped(found.interviews))
    print("\nNext:")
    for step in found.steps:
        print(screen.wrapped(f"- {step.says}: {step.command}"))
    return 0


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
    day = state.now().date()
    today = deck.plan(cards, schedule.known(history, day), day)
    queue = today.cards
    if not queue:
        print(f"Nothing is due today. {holding.comes_back()}")
        return 0
    print(screen.wrapped(
        f"{holding.counted(len(today.due), 'card')} due, {len(today.new)} new. Nothing is sent"
        " anywhere; q ends, and what you answered is kept."
    ))  # fmt: skip
    if not sys.stdin.isatty():
        print("There is no terminal: answers are read from the standard input.")
    began, done, right = time.monotonic(), 0, 0
    for number, card in enumerate(queue, 1):
        if time.monotonic() - began > seconds:
            print(f"\nTime is over: {holding.counted(len(queue) - done, 'card')} left for later.")
            break
        print(f"\n── {number} of {len(queue)} · {card.question.upper()} · {_head(card)}\n")
        try:
            review = asking.ask(card, seed=state.now().date().isoformat())
        except (screen.StopAskingError, KeyboardInterrupt):
            print("\nUntil next time.")
            break
        state.record(
            "review", state.now(), card=card.id, rating=review.rating, by=review.by,
            said=review.said, sure=review.sure, seconds=review.seconds,
            **({"why": review.why} if review.why else {}),
        )  # fmt: skip
        done, right = done + 1, right + (review.rating != schedule.AGAIN)
        if review.leaves:
            print("\nUntil next time.")
            break
    print(
        f"\n{holding.counted(done, 'card')} answered, {right} of them right. {holding.comes_back()}"
    )
    return 0


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
