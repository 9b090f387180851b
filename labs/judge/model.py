"""Labs, and the verdicts of their checks."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from helpers.errors import UsageError
from helpers.machine import paths
from labs.judge import misconceptions
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial


@dataclass(frozen=True)
class Lab:
    """One lab: its requirements, and the functions of a learner's file."""

    number: int
    title: str
    question: str  # the notebook that teaches it, such as "q03_dead_letter"
    requirements: Mapping[str, str]  # "a" → one plain sentence
    roles: tuple[str, ...]  # "run_worker(url, store)"
    check: Callable[[Trial], Iterator[Finding]] = field(repr=False)
    modules: tuple[str, ...] = ()  # slow imports of the learner's code
    beliefs: Mapping[str, str] = field(default_factory=dict)  # misconceptions of this lab alone

    def belief(self, name: str) -> str:
        """Return the sentence of a misconception.

        Raises:
            UsageError: no misconception has this name.
        """
        sentence = self.beliefs.get(name) or misconceptions.SHARED.get(name)
        if sentence is None:
            raise UsageError(f"no misconception of lab {self.number} is called {name!r}")
        return sentence

    @property
    def folder(self) -> Path:
        """The folder of the lab."""
        return folder_of(self.number)


State = Literal["holds", "BROKEN", "not seen"]


@dataclass(frozen=True)
class Verdict:
    """The result of one check of one submission."""

    lab: int
    broken: tuple[Broken, ...]
    unusable: str  # why it cannot be judged, or ""
    seconds: float
    rabbitmq: str
    unseen: tuple[NotSeen, ...] = ()

    def state(self, requirement: str) -> State:
        """Return whether a requirement holds, is broken, or could not be seen."""
        if requirement in {finding.requirement for finding in self.broken}:
            return "BROKEN"
        if self.unusable or requirement in {finding.requirement for finding in self.unseen}:
            return "not seen"
        return "holds"

    def holds(self, requirement: str) -> bool:
        """Return whether a requirement holds."""
        return self.state(requirement) == "holds"

    @property
    def reasons(self) -> frozenset[tuple[str, str]]:
        """Requirement and misconception of each finding."""
        return frozenset((finding.requirement, finding.misconception) for finding in self.broken)


def lab_number(text: str) -> int:
    """Return the number in "3", "03" or "lab03".

    Raises:
        UsageError: the text has another form.
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
    folders = paths.labs()
    if number not in folders:
        known = ", ".join(map(str, folders))
        raise UsageError(f"there is no lab {number}: choose one of {known}")
    return folders[number]


def numbers() -> list[int]:
    """Return the numbers of all labs."""
    return list(paths.labs())


def load(number: int) -> Lab:
    """Return a lab.

    Raises:
        UsageError: there is no such lab.
    """
    module = importlib.import_module(f"labs.{folder_of(number).name}.check")
    lab: Lab = module.LAB
    return lab
