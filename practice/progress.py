"""What a learner has done and what comes next: one table, from the files in ``work/``."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from helpers import predict
from helpers.machine import journal
from helpers.machine.paths import ROOT, notebooks, shown
from helpers.suite.notebooks.running import read
from labs.judge import progress as labs
from labs.judge.model import folder_of, load, numbers
from practice import deck, schedule
from practice.cards import Card
from practice.state import History

INTERVIEW_EVERY_DAYS = 7
HOLDS = "holds"
INTERVIEW = ROOT / "notebooks" / "interview.ipynb"


@dataclass(frozen=True)
class Row:
    """How far a learner is with one question."""

    question: str  # such as "q09"
    predicted: int  # predictions that were compared with a measurement
    predictions: int
    turns_right: int  # "your turn" questions that were answered rightly once
    turns: int
    lab: str  # "holds", "5 of 6" or "" if it was not tried
    seen: int  # cards that were asked once
    cards: int
    due: int  # cards that come back today

    @property
    def number(self) -> int:
        """The number of the question, of its notebook and of its lab."""
        return int(self.question[1:])

    @property
    def begun(self) -> bool:
        """Whether anything of the notebook was guessed or set."""
        return bool(self.predicted or self.turns_right)

    @property
    def read(self) -> bool:
        """Whether all of the notebook was guessed and set."""
        return self.predicted == self.predictions and self.turns_right == self.turns


def rows(cards: Sequence[Card], history: History, today: date) -> list[Row]:
    """Return a row for each question that has a notebook.

    Args:
        cards: all cards.
        history: what was practised.
        today: the learner's day.
    """
    guesses = journal.read(predict.path()).entries
    known = schedule.known(history, today)
    due = {card.id for card in deck.plan(cards, known, today).due}
    compared, answered, checks = _compared(guesses), _answered(guesses), labs.latest()
    found = []
    for number in notebooks():
        question = f"q{number:02d}"
        predictions, turns = _asked_in(number)
        own = [card.id for card in cards if card.question == question]
        found.append(Row(
            question,
            len(predictions & compared), len(predictions),
            len(turns & answered), len(turns),
            _lab(number, checks),
            sum(name in known for name in own), len(own), sum(name in due for name in own),
        ))  # fmt: skip
    return found


@cache
def _asked_in(number: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of a notebook's predictions, and of what it leaves to the reader."""
    keys: dict[str, set[str]] = {"predict.commit": set(), "predict.your_turn": set()}
    for cell in read(notebooks()[number]).cells:
        if cell.cell_type == "code" and "predict." in cell.source:
            for call in _calls(cell.source):
                name = ast.unparse(call.func)
                if name in keys and call.args and isinstance(call.args[0], ast.Constant):
                    keys[name].add(str(call.args[0].value))
    return frozenset(keys["predict.commit"]), frozenset(keys["predict.your_turn"])


def _calls(source: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def _compared(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    return {str(one.get("key")) for one in entries if "measured" in one}


def _answered(entries: Sequence[Mapping[str, Any]]) -> set[str]:
    return {str(one.get("key")) for one in entries if one.get("right") is True}


def _lab(number: int, checks: Mapping[Any, Mapping[str, Any]]) -> str:
    entry = checks.get(number)
    if entry is None or number not in numbers():
        return ""
    total = len(load(number).requirements)
    held = labs.held(entry, total)
    return HOLDS if held == total else f"{held} of {total}"


def table(found: Sequence[Row]) -> str:
    """Return the rows as a table of 40 columns."""
    lines = [f"{'':4}{'guessed':>8}{'turns':>8}{'lab':>8}{'cards':>8}{'due':>4}"]
    for row in found:
        cells = (
            f"{row.predicted}/{row.predictions}", f"{row.turns_right}/{row.turns}", row.lab or "-",
            f"{row.seen}/{row.cards}",
        )  # fmt: skip
        lines.append(
            f"{row.question.upper():4}{''.join(f'{cell:>8}' for cell in cells)}{row.due:>4}"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class Step:
    """Something to do next."""

    says: str
    command: str
    path: Path | None = None  # of the notebook in which it is done


@dataclass(frozen=True)
class Look:
    """What a learner has done and what comes next."""

    rows: list[Row]
    steps: list[Step]
    interviews: str  # in a sentence
    history: History


def look(cards: Sequence[Card], history: History, today: date) -> Look:
    """Return what a learner has done and what comes next.

    Args:
        cards: all cards.
        history: what was practised.
        today: the learner's day.
    """
    found = rows(cards, history, today)
    return Look(found, next_steps(found, history, today), interviews(history), history)


def next_steps(found: Sequence[Row], history: History, today: date) -> list[Step]:
    """Return what to do next, the most useful first.

    Args:
        found: of `rows`.
        history: what was practised.
        today: the learner's day.
    """
    steps = []
    due = sum(row.due for row in found)
    if due:
        steps.append(Step(f"{due} of your cards come back today", "make practice"))
    broken = [row for row in found if row.lab not in ("", HOLDS)]
    if broken:
        steps.append(_in_lab(broken[0], f"Lab {broken[0].number} stands at {broken[0].lab}"))
    unread = sorted((row for row in found if not row.read), key=lambda row: not row.begun)
    if unread:
        path = notebooks()[unread[0].number]
        steps.append(Step(f"Work through {shown(path)}", "make lab", path))
    untried = [row for row in found if row.begun and not row.lab]
    if untried and not broken:
        steps.append(_in_lab(untried[0], f"Prove {untried[0].question.upper()} in its lab"))
    held = history.of("interview")
    seen = any(row.seen for row in found)
    if seen and (not held or (today - held[-1].day).days >= INTERVIEW_EVERY_DAYS):
        steps.append(Step("An interview shows what stands", "make interview", INTERVIEW))
    if not due:
        steps.append(Step("New cards", "make practice"))
    return steps


def _in_lab(row: Row, says: str) -> Step:
    return Step(says, f"make check LAB={row.number:02d}", folder_of(row.number) / "brief.ipynb")


def interviews(history: History) -> str:
    """Return in a sentence how many interviews were held, and when the real one is."""
    held = history.of("interview")
    words = [f"{len(held)} interviews held" if len(held) != 1 else "1 interview held"]
    if held:
        words.append(f"the last on {held[-1].day}")
    if history.interview:
        words.append(f"yours is on {history.interview}")
    return f"{', '.join(words)}."
