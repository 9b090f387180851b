"""What was seen on each generation beside the notebooks: ``docs/rabbitmq-4.json`` keeps it."""

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
    found: Broker, *, root: Path = ROOT, probes: Mapping[str, Callable[[], str]] = PROBES
) -> list[str]:
    """Look at every small behaviour, and record what was seen unless it differs from the record.

    Args:
        found: the broker that is looked at.
        root: the checkout, whose record is read and written.
        probes: what to look at: its name, and what tells in words what it saw.

    Returns:
        Where this broker differs from what was recorded for its generation, a line for each.
    """
    before = changes.load_seen(root).get(found.generation, {}).get("seen", {})
    now = {name: probe() for name, probe in probes.items()}
    differing = [
        f"{name} on {found.generation}: recorded {before[name]!r}, now {now[name]!r}"
        for name in now
        if name in before and before[name] != now[name]
    ]
    if not differing:
        _keep(found, root, {**_session(found), "seen": now})
    return differing


def keep_solutions(found: Broker, outcomes: Sequence[Outcome], *, root: Path = ROOT) -> None:
    """Record how many correct solutions of each lab were accepted.

    Args:
        found: the broker that they were judged on.
        outcomes: all correct solutions of the labs that were judged.
        root: the checkout, whose record is written.
    """
    entry = changes.load_seen(root).get(found.generation, {})
    labs = dict(entry.get("solutions", {}))
    for number in sorted({one.solution.lab for one in outcomes}):
        mine = [one for one in outcomes if one.solution.lab == number]
        accepted = sum(one.as_it_should for one in mine)
        labs[str(number)] = {**_session(found), "accepted": accepted, "of": len(mine)}
    if labs:
        _keep(found, root, {"solutions": dict(sorted(labs.items(), key=lambda one: int(one[0])))})


def _session(found: Broker) -> dict[str, str]:
    today = datetime.date.today().isoformat()
    return {"date": today, "rabbitmq": found.version, "erlang": found.erlang}


def _keep(found: Broker, root: Path, values: dict[str, Any]) -> None:
    every = changes.load_seen(root)
    every[found.generation] = every.get(found.generation, {}) | values
    ordered = {name: every[name] for name in sorted(every, key=records.age)}
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    (root / changes.SEEN).write_text(text + "\n", encoding="utf-8")
