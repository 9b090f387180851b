"""What a lab is, and what its check says."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from labs.judge import misconceptions
from labs.judge.trial import Trial

LABS = ROOT / "labs"


@dataclass(frozen=True)
class Broken:
    """A requirement that does not hold: the smallest history that breaks it, and why.

    ``story`` tells what happened as a short sequence, never the solution; ``misconception`` names
    the belief behind it, the same name for the same belief in every lab: the view of a class
    counts them.
    """

    requirement: str
    story: str
    misconception: str


@dataclass(frozen=True)
class Lab:
    """One lab: what must hold, and the functions that a learner's file has."""

    number: int
    title: str
    question: str  # the notebook that teaches it, such as "q03_dead_letter"
    requirements: Mapping[str, str]  # "a" → one plain sentence
    roles: tuple[str, ...]  # "run_worker(url, store)"
    check: Callable[[Trial], Iterator[Broken]] = field(repr=False)
    modules: tuple[str, ...] = ()  # what the learner's code imports and what takes long
    beliefs: Mapping[str, str] = field(default_factory=dict)  # misconceptions of this lab alone

    def belief(self, name: str) -> str:
        """Return a misconception in words.

        Raises:
            UsageError: no misconception has this name.
        """
        words = self.beliefs.get(name) or misconceptions.SHARED.get(name)
        if words is None:
            raise UsageError(f"no misconception of lab {self.number} is called {name!r}")
        return words

    @property
    def folder(self) -> Path:
        """Where the lab lives."""
        return folder_of(self.number)


@dataclass(frozen=True)
class Verdict:
    """What a check found about one submission."""

    lab: int
    broken: tuple[Broken, ...]
    unusable: str  # why nothing could be judged, or ""
    seconds: float
    rabbitmq: str

    def holds(self, requirement: str) -> bool:
        """Tell whether a requirement holds."""
        return not self.unusable and requirement not in {
            finding.requirement for finding in self.broken
        }

    @property
    def reasons(self) -> frozenset[tuple[str, str]]:
        """Requirement and misconception of everything that is broken."""
        return frozenset((finding.requirement, finding.misconception) for finding in self.broken)


def lab_number(text: str) -> int:
    """Return the number in "3", "03" or "lab03".

    Raises:
        UsageError: there is none.
    """
    digits = text.lower().removeprefix("lab")
    if not digits.isdecimal():
        raise UsageError(f"a lab is a number like 3 or 03, not {text!r}")
    return int(digits)


def folder_of(number: int) -> Path:
    """Return the folder of a lab.

    Raises:
        UsageError: there is no such lab.
    """
    folders = sorted(LABS.glob(f"lab{number:02d}_*"))
    if not folders:
        there = ", ".join(str(number) for number in numbers())
        raise UsageError(f"there is no lab {number}: choose one of {there}")
    return folders[0]


def numbers() -> list[int]:
    """Return the numbers of all labs."""
    return [int(path.name[3:5]) for path in sorted(LABS.glob("lab[0-9][0-9]_*"))]


def load(number: int) -> Lab:
    """Return a lab.

    Raises:
        UsageError: there is no such lab.
    """
    module = importlib.import_module(f"labs.{folder_of(number).name}.check")
    lab: Lab = module.LAB
    return lab
