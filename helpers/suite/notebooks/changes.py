"""Write ``docs/rabbitmq-4.md``: the interview answers that changed with RabbitMQ 4.

The measured values come from the notebooks' cards and from ``docs/rabbitmq-4.json``, the
explanations from ``docs/rabbitmq-4.toml``.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import UsageError
from helpers.machine.paths import ROOT, labs, notebooks
from helpers.rabbitmq.generations import GENERATIONS, listed
from helpers.suite.notebooks import records
from helpers.suite.notebooks.cards import Claim
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import Row, as_sentence, escape, rows

FILE = Path("docs") / "rabbitmq-4.md"
WORDS = Path("docs") / "rabbitmq-4.toml"
SEEN = Path("docs") / "rabbitmq-4.json"
KEYS = {"claims": ("question", "before", "now", "say"), "probes": ("topic", "say")}
ON_GENERATION = re.compile(r"(.+?) on (\d+\.\d+)(?:, |$)")
HEAD = f"| {' | '.join(GENERATIONS)} |"
LINES = "|" + ":-:|" * len(GENERATIONS)
INTRODUCTION = f"""\
# Which interview answers changed with RabbitMQ 4

An answer that was right for RabbitMQ 3 may be wrong for the version that you are asked about. This
page has the answers that changed between the generations measured here: {listed()}.
`make test-versions` measures the values in the tables; [rabbitmq-4.toml](rabbitmq-4.toml) has the
explanations. `make verdicts` writes this page; edits here are lost."""


@dataclass(frozen=True)
class Change:
    """One case of a claim whose outcome differs between generations."""

    what: str
    values: Mapping[str, str]  # generation to the value that was measured there


def changes(claim: Claim) -> list[Change]:
    """Return the cases of a claim whose value differs between generations.

    Args:
        claim: a card; `claims.by_generation` makes such cases.
    """
    differing = []
    for what, measured in claim.measured:
        values = ON_GENERATION.findall(measured)
        if len({value for value, _ in values}) > 1:
            differing.append(Change(what, {name: value for value, name in values}))
    return differing


def page(root: Path = ROOT) -> str:
    """Return the page as Markdown.

    Args:
        root: the checkout, whose notebooks, records and explanations are read.

    Raises:
        UsageError: a changing claim or a recorded behaviour has no explanation, or an explanation
            belongs to neither.
    """
    words = _words(root)
    every = {row.claim.id: (path, row) for path in notebooks(root).values()
             for row in rows(read(path))}  # fmt: skip
    changing = {name: place for name, place in every.items() if changes(place[1].claim)}
    _agree("claim", changing, words["claims"])
    seen = load_seen(root)
    _agree("behaviour", {name for one in seen.values() for name in one["seen"]}, words["probes"])
    recorded = records.load(root)
    parts = [INTRODUCTION]
    if note := records.note({**recorded, **seen}):
        parts.append(note)
    parts += ["## At a glance", _glance(changing, words["claims"]), "## The answers"]
    for name, (path, row) in changing.items():
        parts += _section(path, row, words["claims"][name])
    parts += ["## Smaller changes", _probes(seen, words["probes"]), _dates(seen)]
    parts += ["## What did not change", _rest(every, changing, recorded)]
    parts.append(_solutions(seen, root))
    return "\n\n".join(parts) + "\n"


def load_seen(root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return, by generation, the small behaviours measured and the solutions accepted.

    Args:
        root: the checkout, whose ``docs/rabbitmq-4.json`` is read; none when there is no file.

    Raises:
        UsageError: the file has another form.
    """
    file = root / SEEN
    if not file.exists():
        return {}
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        return {name: {**one, "seen": dict(one["seen"])} for name, one in plain.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{SEEN} is no record of behaviours ({error!r}): delete it,"
            " `make test-versions` makes a new one"
        ) from error


def _words(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    try:
        words = tomllib.loads((root / WORDS).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"can't read {WORDS}: {error}") from error
    for kind, keys in KEYS.items():
        for name, one in words.get(kind, {}).items():
            if lacking := [key for key in keys if not one.get(key)]:
                raise UsageError(f"{WORDS} has no {lacking[0]!r} for {name}")
    return {kind: words.get(kind, {}) for kind in KEYS}


def _agree(what: str, measured: Any, explained: Any) -> None:
    if missing := sorted(set(measured) - set(explained)):
        raise UsageError(
            f"the {what} {missing[0]} changes with the generation: {WORDS} must say how"
        )
    if left := sorted(set(explained) - set(measured)):
        raise UsageError(f"{WORDS} explains the {what} {left[0]}, which does not change: remove it")


def _glance(changing: Any, words: Any) -> str:
    lines = [f"| asked | measured {HEAD} claim |", f"|---|---{LINES}---|"]
    for name, (path, row) in changing.items():
        for change in changes(row.claim):
            link = _link(path, row, name)
            asked = f"{words[name]['question']} | {escape(change.what)}"
            lines.append(f"| {asked} | {_cells(change.values)} | {link} |")
    return "\n".join(lines)


def _section(path: Path, row: Row, words: Mapping[str, str]) -> list[str]:
    measured = []
    for change in changes(row.claim):
        values = ", ".join(f"{escape(value)} on {name}" for name, value in change.values.items())
        measured.append(f"{escape(change.what)}: {values}")
    sentence = escape(as_sentence(row.sentence))
    link = _link(path, row, row.claim.id)
    return [
        f"### {words['question']}",
        f"**Before:** {words['before']}",
        f"**RabbitMQ 4:** {words['now']}",
        f"**Say:** {words['say']}",
        f"Measured in {link}, “{sentence}”, section *{row.heading}*: {'; '.join(measured)}.",
    ]


def _probes(seen: Any, words: Any) -> str:
    lines = [f"| behaviour {HEAD} for the interview |", f"|---{LINES}---|"]
    for name, one in words.items():
        values = {generation: run["seen"].get(name, "·") for generation, run in seen.items()}
        lines.append(f"| {one['topic']} | {_cells(values)} | {one['say']} |")
    return "\n".join(lines)


def _dates(seen: Any) -> str:
    runs = [f"{one['rabbitmq']} (Erlang {one['erlang']}) on {one['date']}" for one in seen.values()]
    return f"Measured on RabbitMQ {'; '.join(runs)}." if runs else "None has been recorded yet."


def _rest(every: Any, changing: Any, recorded: records.Records) -> str:
    def everywhere(row: Row) -> bool:
        question = row.claim.id.partition(".")[0]
        entries = [recorded.get(name, {}).get(question) for name in GENERATIONS]
        return all(entry is not None and row.claim.text in entry.claims for entry in entries)

    same = [name for name, (_, row) in every.items() if name not in changing and everywhere(row)]
    left = [name for name in every if name not in changing and name not in same]
    text = (
        f"Of {len(every)} claims in the notebooks, {len(changing)} change: the outcome of a case"
        f" differs, not the verdict. {len(same)} gave the same card on all"
        " generations: [verdicts.md](verdicts.md) has them, with the runs."
    )
    return text + (f" Not measured on each so far: {', '.join(left)}." if left else "")


def _solutions(seen: Any, root: Path) -> str:
    judged = {name: one.get("solutions", {}) for name, one in seen.items()}
    lines = [f"| correct solutions accepted {HEAD}", f"|---{LINES}"]
    for number, folder in labs(root).items():
        entries = {name: solutions.get(str(number)) for name, solutions in judged.items()}
        values = {name: f"{one['accepted']} of {one['of']}" for name, one in entries.items() if one}
        link = f"[lab {number}](../labs/{folder.name}/)"
        lines.append(f"| {link} | {_cells(values)} |")
    runs = {f"{one['rabbitmq']} on {one['date']}": None for solutions in judged.values()
            for one in solutions.values()}  # fmt: skip
    text = "The same reference solutions of the labs, judged on each:"
    when = f"Judged on RabbitMQ {'; '.join(runs)}." if runs else "None has been recorded yet."
    return "\n\n".join([text, "\n".join(lines), when])


def _cells(values: Mapping[str, str]) -> str:
    return " | ".join(escape(values.get(name, "·")) for name in GENERATIONS)


def _link(path: Path, row: Row, text: str) -> str:
    return f"[{text}](../notebooks/{path.name}#cell-id={row.cell})"
