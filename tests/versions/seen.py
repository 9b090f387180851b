"""Look at the small behaviours and compare them with ``docs/rabbitmq-4.json``, their record."""

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.broker import Broker
from helpers.broker.paths import ROOT
from helpers.notebooks import changes, records
from tests.versions.probes import PROBES


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
    every = changes.load_seen(root)
    before = every.get(found.generation, {"seen": {}})["seen"]
    now = {name: probe() for name, probe in probes.items()}
    differing = [
        f"{name} on {found.generation}: recorded {before[name]!r}, now {now[name]!r}"
        for name in now
        if name in before and before[name] != now[name]
    ]
    if not differing:
        every[found.generation] = {
            "date": datetime.date.today().isoformat(),
            "rabbitmq": found.version,
            "erlang": found.erlang,
            "seen": now,
        }
        ordered = {name: every[name] for name in sorted(every, key=records.age)}
        text = json.dumps(ordered, indent=1, ensure_ascii=False)
        (root / changes.SEEN).write_text(text + "\n", encoding="utf-8")
    return differing
