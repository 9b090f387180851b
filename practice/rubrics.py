"""Read the rubrics: what an interviewer listens for in each answer, and how it is proven.

``notebooks/rubrics/qNN.toml`` has the key points of a notebook's main answer and of each follow-up
of its interview drill, probes with one exact answer, and ids that never change::

    [main]           points = [{id, level, says, like, claims or source, probe}, …]
    [follow-ups.ID]  asked = "…"  after = [ids of main points]  points = [the same without level]
                     weaker = {says = "…", lacks = [ids of its points]}
    [wrong.ID]       says = "…"
    [probes.ID]      asked, answer, because, claims or source; unit, choices, case where they apply
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import UsageError
from helpers.machine.paths import ROOT, shown
from helpers.suite.drill import LEVELS

FOLDER = Path("notebooks") / "rubrics"
MAIN = "main"


@dataclass(frozen=True)
class Point:
    """One thing that a good answer says, decidable by yes or no."""

    id: str
    level: str  # of a main point; a follow-up has its level in the notebook, and its points ""
    says: str
    like: tuple[str, ...]  # patterns of words that point to it, as in fnmatch
    claims: tuple[str, ...]  # those that prove it; empty only if a source does
    source: str  # address of the page that says so, or ""
    probe: str  # id of the probe that cross-examines it, or ""


@dataclass(frozen=True)
class Weaker:
    """A plausible answer that lacks some of the points, to compare one's own with."""

    says: str
    lacks: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """The main question or a follow-up, with its points."""

    id: str
    asked: str  # as in the notebook's drill; "" for the main question
    after: tuple[str, ...]  # the main points whose absence it probes
    points: tuple[Point, ...]
    weaker: Weaker | None


@dataclass(frozen=True)
class Probe:
    """A question with exactly one right answer."""

    id: str
    asked: str
    answer: float | str  # a number, or one of the choices
    unit: str
    choices: tuple[str, ...]
    because: str
    claims: tuple[str, ...]
    source: str
    case: str  # the set-up in a claim's card whose measured number is the answer, or ""


@dataclass(frozen=True, repr=False)
class Rubric:
    """The rubric of one notebook."""

    question: str  # such as "q09"
    main: Question
    follow_ups: Mapping[str, Question]
    wrong: Mapping[str, str]  # id to what a candidate says
    probes: Mapping[str, Probe]

    def __repr__(self) -> str:
        counts = f"follow_ups={len(self.follow_ups)}, probes={len(self.probes)}"
        return f"Rubric({self.question}, points={len(list(self.points()))}, {counts})"

    def points(self) -> Iterator[Point]:
        """Yield the points of the main answer, then those of each follow-up."""
        for question in (self.main, *self.follow_ups.values()):
            yield from question.points

    def ids(self) -> list[str]:
        """Return every id of the rubric in its order; those of a learner's events."""
        found = [f"{self.question}.{MAIN}.{point.id}" for point in self.main.points]
        for name, question in self.follow_ups.items():
            found.append(f"{self.question}.{name}")
            found += [f"{self.question}.{name}.{point.id}" for point in question.points]
        found += [f"{self.question}.wrong.{name}" for name in self.wrong]
        return found + [f"{self.question}.probe.{name}" for name in self.probes]


def read(question: str, root: Path = ROOT) -> Rubric:
    """Read the rubric of a notebook.

    Args:
        question: the notebook's question, such as "q09".
        root: the checkout.

    Raises:
        UsageError: there is none, or it has another form; the message says where.
    """
    file = root / FOLDER / f"{question}.toml"
    try:
        return parse(question, file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no rubric {shown(file)}") from None


def parse(question: str, text: str) -> Rubric:
    """Read a rubric from its text, as `read` does from a file."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the rubric of {question} is not TOML: {error}") from None
    known = {MAIN, "follow-ups", "wrong", "probes"}
    if not tables.keys() <= known or MAIN not in tables:
        raise UsageError(f"the rubric of {question} has the tables {', '.join(sorted(known))}")
    rubric = Rubric(
        question,
        _question(question, MAIN, tables[MAIN]),
        {name: _question(question, name, t) for name, t in tables.get("follow-ups", {}).items()},
        {
            name: _Table(question, f"wrong.{name}", table, {"says"}).text("says")
            for name, table in tables.get("wrong", {}).items()
        },
        {name: _probe(question, name, table) for name, table in tables.get("probes", {}).items()},
    )
    _refer(rubric)
    return rubric


def _refer(rubric: Rubric) -> None:
    """Refuse ids that occur twice, and references to what isn't there."""
    ids = rubric.ids()
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise UsageError(f"the rubric of {rubric.question} has ids twice: {', '.join(twice)}")
    mains = {point.id for point in rubric.main.points}
    for question in rubric.follow_ups.values():
        if lost := sorted(set(question.after) - mains):
            raise UsageError(
                f"the rubric of {rubric.question}: {question.id} comes after"
                f" {', '.join(lost)}, which is no main point"
            )
    used = {point.probe for point in rubric.points() if point.probe}
    if used != rubric.probes.keys():
        odd = ", ".join(sorted(used ^ rubric.probes.keys()))
        raise UsageError(f"the rubric of {rubric.question}: probe and point don't agree on {odd}")


class _Table:
    """A table of a rubric, which says where it stands when something in it is wrong."""

    def __init__(self, question: str, name: str, table: Any, keys: set[str]) -> None:
        self.where = f"the rubric of {question}: {name}"
        self.table = table
        if not isinstance(table, dict):
            raise UsageError(f"{self.where} is no table")
        if unknown := sorted(table.keys() - keys):
            raise UsageError(f"{self.where} has unknown keys: {', '.join(unknown)}")

    def text(self, key: str, *, optional: bool = False) -> str:
        value = self.table.get(key, "")
        if not isinstance(value, str) or not (value or optional):
            raise UsageError(f"{self.where} needs {key} as a text")
        return value

    def texts(self, key: str, *, optional: bool = True) -> tuple[str, ...]:
        value = self.table.get(key, [])
        strings = isinstance(value, list) and all(isinstance(one, str) and one for one in value)
        if not strings or not (value or optional):
            raise UsageError(f"{self.where} needs {key} as a list of texts")
        return tuple(value)

    def proof(self) -> tuple[tuple[str, ...], str]:
        claims, source = self.texts("claims"), self.text("source", optional=True)
        if not claims and not source:
            raise UsageError(f"{self.where} needs claims, or a source")
        return claims, source


def _question(question: str, name: str, raw: Any) -> Question:
    keys = {"points"} if name == MAIN else {"asked", "after", "points", "weaker"}
    table = _Table(question, name, raw, keys)
    points = raw.get("points")
    if not isinstance(points, list) or not points:
        raise UsageError(f"{table.where} needs points")
    found = tuple(
        _point(question, f"{name}, point {n}", one, of_main=name == MAIN)
        for n, one in enumerate(points, 1)
    )
    weaker = _weaker(question, name, raw["weaker"], found) if "weaker" in raw else None
    asked = "" if name == MAIN else table.text("asked")
    return Question(name, asked, table.texts("after"), found, weaker)


def _weaker(question: str, name: str, raw: Any, points: Sequence[Point]) -> Weaker:
    table = _Table(question, f"{name}, weaker", raw, {"says", "lacks"})
    lacks = table.texts("lacks", optional=False)
    if not set(lacks) < {point.id for point in points}:
        raise UsageError(f"{table.where} has to lack some of its points, not all and no others")
    return Weaker(table.text("says"), lacks)


def _point(question: str, where: str, raw: Any, *, of_main: bool) -> Point:
    keys = {"id", "says", "like", "claims", "source", "probe"} | ({"level"} if of_main else set())
    table = _Table(question, where, raw, keys)
    if of_main and table.text("level") not in LEVELS:
        raise UsageError(f"{table.where} has the level {raw['level']}, not {', '.join(LEVELS)}")
    claims, source = table.proof()
    return Point(
        id=table.text("id"),
        level=table.text("level", optional=True),
        says=table.text("says"),
        like=table.texts("like", optional=False),
        claims=claims,
        source=source,
        probe=table.text("probe", optional=True),
    )


def _probe(question: str, name: str, raw: Any) -> Probe:
    keys = {"asked", "answer", "unit", "choices", "because", "claims", "source", "case"}
    table = _Table(question, f"probes.{name}", raw, keys)
    answer, choices = raw.get("answer"), table.texts("choices")
    if choices and (answer not in choices or not 3 <= len(set(choices)) == len(choices) <= 5):
        raise UsageError(f"{table.where} needs its answer among three to five different choices")
    if not choices and (isinstance(answer, bool) or not isinstance(answer, int | float)):
        raise UsageError(f"{table.where} needs a number as answer, or choices")
    claims, source = table.proof()
    return Probe(
        id=name,
        asked=table.text("asked"),
        answer=answer,
        unit=table.text("unit", optional=True),
        choices=choices,
        because=table.text("because"),
        claims=claims,
        source=source,
        case=table.text("case", optional=True),
    )
