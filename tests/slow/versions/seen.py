"""Record small behaviours and accepted solutions of each generation in docs/rabbitmq-4.json."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.broker import Broker
from helpers.machine.paths import ROOT
from helpers.suite.notebooks import changes, records
from labs.judge.instructor.proof import Outcome
from tests.slow.versions.probes import PROBES


def look(
    observed: Broker, *, root: Path = ROOT, probes: Mapping[str, Callable[[], str]] = PROBES
) -> list[str]:
    """Observe every small behaviour, and record the observations if none differs from the record.

    Args:
        observed: the broker.
        root: the checkout, whose record is read and written.
        probes: functions that return an observation in words, by name.

    Returns:
        A line for each difference between this broker and the record of its generation.
    """
    before = changes.load_seen(root).get(observed.generation, {}).get("seen", {})
    now = {name: probe() for name, probe in probes.items()}
    differing = [
        f"{name} on {observed.generation}: recorded {before[name]!r}, now {now[name]!r}"
        for name in now
        if name in before and before[name] != now[name]
    ]
    if not differing:
        _keep(observed.generation, root, {**_session(observed), "seen": now})
    return differing


def keep_solutions(judged_on: Broker, outcomes: Sequence[Outcome], *, root: Path = ROOT) -> None:
    """Record how many correct solutions of each lab were accepted.

    Args:
        judged_on: the broker that they were judged on.
        outcomes: all correct solutions of the labs that were judged.
        root: the checkout, whose record is written.
    """
    entry = changes.load_seen(root).get(judged_on.generation, {})
    labs = dict(entry.get("solutions", {}))
    for number in sorted({outcome.solution.lab for outcome in outcomes}):
        of_lab = [outcome for outcome in outcomes if outcome.solution.lab == number]
        accepted = sum(outcome.as_it_should for outcome in of_lab)
        labs[str(number)] = {**_session(judged_on), "accepted": accepted, "of": len(of_lab)}
    if labs:
        ordered = dict(sorted(labs.items(), key=lambda item: int(item[0])))
        _keep(judged_on.generation, root, {"solutions": ordered})


def _session(of: Broker) -> dict[str, str]:
    today = datetime.date.today().isoformat()
    return {"date": today, "rabbitmq": of.version, "erlang": of.erlang}


def _keep(generation: str, root: Path, values: dict[str, Any]) -> None:
    with records.writing(root):
        every = changes.load_seen(root)
        every[generation] = every.get(generation, {}) | values
        ordered = {name: every[name] for name in sorted(every, key=records.age)}
        text = json.dumps(ordered, indent=1, ensure_ascii=False)
        (root / changes.SEEN).write_text(text + "\n", encoding="utf-8")
