"""What an interview asks for, one thing at a time; a terminal and JupyterLab answer it."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from practice.cards import Wanted
from practice.rubrics import Point
from practice.sheet import Sheet


@dataclass(frozen=True)
class Tell:
    """Show a text; no answer."""

    text: str


@dataclass(frozen=True)
class Speak:
    """Ask a question that is answered aloud; the answer is a `Spoken`."""

    text: str
    sure: bool = False  # whether to ask how sure the learner is that an expert finds nothing wrong


@dataclass(frozen=True)
class Spoken:
    """What a learner said: one line for each point that was made aloud."""

    lines: tuple[str, ...]
    sure: int | None = None  # percent


@dataclass(frozen=True)
class Mark:
    """Ask for each point whether it was made: the answer is "y", "n" or "p" by point id."""

    points: tuple[Point, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Decide:
    """Ask for a choice or a number; the answer is an `Answer`, and ``back`` is shown after it."""

    text: str
    wanted: Wanted
    back: str


@dataclass(frozen=True)
class Prove:
    """Run a claim's experiment; the answer is a `Proof`."""

    claim: str


Prompt = Tell | Speak | Mark | Decide | Prove
Script = Generator[Prompt, Any, Sheet]
