"""Begin an interview from what a learner has done, and say at its end what comes next."""

import time
from collections.abc import Sequence

from helpers.machine.paths import notebooks, shown
from practice import deck, proving, schedule, state
from practice.script import Interview, earlier

MINUTES = 30.0
LEVEL = "senior"


def begin(questions: Sequence[str], *, level: str, minutes: float, seed: str | None) -> Interview:
    """Return an interview whose clock runs from now.

    Args:
        questions: only about these, such as "q09"; none: about all.
        level: where it begins: "junior", "senior" or "staff".
        minutes: what would come after that time is left out.
        seed: the same seed and history ask the same questions; None: another one each time.

    Raises:
        UsageError: a rubric or a drill has another form.
    """
    history, began = state.history(), time.monotonic()
    return Interview(
        level, minutes * 60, seed or f"{state.now():%Y-%m-%d} {len(history.of('interview'))}",
        deck.every_card(questions), history, state.now, lambda: time.monotonic() - began,
        proving.possible,
    )  # fmt: skip


def closing(held: Interview) -> list[str]:
    """Return the sentences below the score sheet: what it shows, and what to do next."""
    question = held.about[0]
    number = int(question[1:])
    found = held.sheet.words(earlier(held.history))
    found.append(f"Read: {shown(notebooks()[number])}. Do: `make check LAB={number:02d}`.")
    if gaps := [one.point.says for one in held.sheet.gaps() if one.held is not False]:
        found.append(f"Open: {'; '.join(gaps)}.")
    return [*found, comes_back()]


def comes_back() -> str:
    """Return in a sentence how many cards come back on which day after today."""
    today = state.now().date()
    known = schedule.known(state.history(), today)
    later = [one.due for one in known.values() if one.due > today]
    if not later:
        return "New cards come tomorrow."
    first = min(later)
    number = later.count(first)
    come = "comes" if number == 1 else "come"
    return f"{counted(number, 'card')} {come} back on {first:%A}, {first}."


def counted(number: int, what: str) -> str:
    """Return "1 card" or "2 cards"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
