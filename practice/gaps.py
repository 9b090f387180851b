"""Make cards from what a learner showed: guesses that missed, and beliefs of a lab's code."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from numbers import Real
from typing import Any

from helpers import predict
from helpers.errors import UsageError
from helpers.machine import journal
from helpers.machine.paths import ROOT
from labs.judge import misconceptions, progress
from labs.judge.model import load
from practice import material, rubrics
from practice.cards import Card, Choice, Number, Wanted, choice
from practice.state import QUESTION

NEAR = 1.1  # a guess of a measured number is right within 10 %
BELIEFS = rubrics.FOLDER / "beliefs.toml"
NO_BELIEF = "none: "  # how a reason begins that is no belief: code that is not done, an error


def guesses() -> Iterator[Card]:
    """Yield a card for each prediction whose last guess missed what was measured."""
    last: dict[str, Mapping[str, Any]] = {}
    for line in journal.read(predict.path()).entries:
        if {"key", "question", "guess", "measured", "date"} <= line.keys():
            last[str(line["key"])] = line
    for key, entry in last.items():
        if entry["guess"] == entry["measured"] or not QUESTION.match(key):
            continue
        sure = f", {entry['sure']} % sure" if entry.get("sure") is not None else ""
        said = f"On {str(entry['date'])[:10]} you said {entry['guess']}{sure}"
        unit = str(entry.get("unit", ""))
        yield Card(
            f"{key}.guess", "guess", "", str(entry["question"]), _measured(entry, unit),
            f"{said}; measured were {entry['measured']} {unit}.".replace(" .", "."),
            (key,) if key in material.claims() else (), gap=f"{said}.",
        )  # fmt: skip


def _measured(entry: Mapping[str, Any], unit: str) -> Wanted:
    value = entry["measured"]
    if isinstance(value, Real) and not isinstance(value, bool):
        return Number(float(value), unit, NEAR)
    return Choice((str(value), str(entry["guess"])), str(value))


def beliefs() -> Iterator[Card]:
    """Yield a card for each belief that a learner's code showed in a lab."""
    shown: dict[tuple[int, str], tuple[str, str]] = {}
    for entry in journal.read(progress.file()).entries:
        found, lab = entry.get("beliefs"), entry.get("lab")
        if isinstance(found, dict) and isinstance(lab, int):
            for requirement, name in found.items():
                shown[lab, str(name)] = str(requirement), str(entry.get("date", ""))[:10]
    for (number, name), (requirement, day) in shown.items():
        try:
            lab = load(number)
            says = lab.belief(name)
        except UsageError:
            continue  # of another version
        if says.startswith(NO_BELIEF):
            continue
        refuting = refuted_by(number, name)
        known = {**misconceptions.SHARED, **lab.beliefs}.values()
        card_id = f"q{number:02d}.belief.{name}"
        yield Card(
            card_id, "belief", "",
            f"Lab {number} asks: {lab.requirements.get(requirement, lab.title)}"
            " Your code broke it. Which belief led there?",
            choice(says, (one for one in known if not one.startswith(NO_BELIEF)), seed=card_id),
            f"“{says}”: that is not so. `make check LAB={number:02d}` shows the history that"
            f" breaks it.\n\n{material.proof(refuting)}".rstrip(),
            refuting, gap=f"Lab {number} showed it on {day}.",
        )  # fmt: skip


@cache
def _table() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((ROOT / BELIEFS).read_text(encoding="utf-8"))


def refuted_by(lab: int | None, belief: str) -> tuple[str, ...]:
    """Return the claims that refute a belief; none where no experiment is about it.

    Args:
        lab: number of the lab that showed it; None: one that several labs share.
        belief: its name.
    """
    own = _table().get(f"lab{lab:02d}", {}) if lab is not None else {}
    return tuple(own.get(belief, _table()["shared"].get(belief, ())))
