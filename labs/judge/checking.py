"""Check one submission: from the file to the verdict."""

import ast
import importlib
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pika.exceptions import AMQPError

from helpers import broker
from helpers.errors import NotWrittenError, UsageError
from helpers.machine.files import lacks_room
from labs.judge.errors import OutOfTimeError, UnusableError
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab, Verdict, load
from labs.judge.sandbox import bubblewrap, untouched
from labs.judge.sandbox.limits import Limits
from labs.judge.trial import Trial

INDENT = " " * 13
ROOM_BYTES = 10_000_000  # a check writes some 2 MB


def check(
    number: int, submission: Path, *, limits: Limits | None = None, hidden: bool = False
) -> Verdict:
    """Judge a submission on the live broker.

    Args:
        number: number of the lab.
        submission: a Python file with the lab's functions.
        limits: bounds of its time, memory, output and processes; default: `Limits()`.
        hidden: whether to judge the hidden cases, too, which learners are not given.

    Returns:
        The verdict, with the first history for each broken requirement.

    Raises:
        UsageError: no such lab or file.
        BrokerError: no broker.
        NotWrittenError: the disk of the scratch folder is full.
    """
    lab = load(number)
    if not submission.is_file():
        raise UsageError(
            f"there is no file {submission}: run the brief's cell that writes it, or name the file"
        )
    began = time.monotonic()
    broken: dict[str, Broken] = {}
    unseen: dict[str, NotSeen] = {}
    unusable = ""
    limits = limits or Limits()
    version = broker.find().version
    if is_starter(lab, submission):
        why = "this is the starter as it was handed out: write your code, and check again"
        untried = tuple(NotSeen(key, why) for key in lab.requirements)
        return Verdict(number, (), "", time.monotonic() - began, version, untried)
    exposed = not limits.sandboxed or bubblewrap.why_not()
    before = untouched.digests() if exposed else {}
    with Trial(submission.resolve(), modules=lab.modules, limits=limits, hidden=hidden) as trial:
        _need_room(trial)
        try:
            for finding in _findings(lab, trial):
                if isinstance(finding, NotSeen):
                    unseen.setdefault(finding.requirement, finding)
                    continue
                lab.belief(finding.misconception)  # an error if the belief has no sentence
                broken.setdefault(finding.requirement, finding)
        except UnusableError as error:
            unusable = str(error)
            broken, unseen = {}, {}  # what was found says nothing about the learner's code
        except OutOfTimeError:
            unusable = f"the check took longer than {limits.seconds:g} s and was ended"
            if trouble := trial.trouble():
                unusable += f"; {trouble}"
        except AMQPError as error:
            unusable = f"the broker ended the check: {type(error).__name__} {error}"
        except (OSError, sqlite3.Error):
            _need_room(trial)
            raise
        if broken or unseen or unusable:
            _need_room(trial)  # on a full disk nothing of it is the learner's
    if exposed and (changes := untouched.changes(before)):
        unusable = changes
    return Verdict(
        number,
        tuple(broken[key] for key in sorted(broken)),
        unusable,
        time.monotonic() - began,
        version,
        tuple(unseen[key] for key in sorted(set(unseen) - set(broken))),
    )


def _need_room(trial: Trial) -> None:
    if lack := lacks_room(trial.folder, ROOM_BYTES):
        raise NotWrittenError(lack)


def is_starter(lab: Lab, submission: Path) -> bool:
    """Return whether a file has the starter's code, whatever its comments and blanks."""
    starter = (lab.folder / "starter.py").read_text(encoding="utf-8")
    try:
        return _code(submission.read_text(encoding="utf-8")) == _code(starter)
    except (SyntaxError, ValueError):
        return False


def _code(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            del node.body[0]
    return ast.dump(tree)


def _findings(lab: Lab, trial: Trial) -> Iterator[Finding]:
    sound = True
    for finding in lab.check(trial):
        sound = False
        yield finding
    # Hidden cases are for submissions that pass all others.
    if sound and trial.hidden and (lab.folder / "hidden.py").exists():
        cases = importlib.import_module(f"labs.{lab.folder.name}.hidden")
        yield from cases.check(trial)


def report(lab: Lab, verdict: Verdict, submission: str) -> str:
    """Return the verdict as lines for a learner."""
    lines = [f"Lab {lab.number} · {lab.title}: {submission} on RabbitMQ {verdict.rabbitmq}", ""]
    if verdict.unusable:
        lines += [f"  It cannot be judged: {verdict.unusable}.", ""]
    broken = {finding.requirement: finding for finding in verdict.broken}
    unseen = {finding.requirement: finding for finding in verdict.unseen}
    for key, sentence in lab.requirements.items():
        lines.append(f"  {key} {verdict.state(key):<9}{sentence}")
        if key in broken:
            lines.append(f"{INDENT}what happened: {broken[key].story}")
            belief = lab.belief(broken[key].misconception)
            lines.append(f"{INDENT}the belief behind it: {belief}")
        elif key in unseen:
            lines.append(f"{INDENT}not tried: {unseen[key].story}")
    lines += ["", f"{score(lab, verdict)}, checked in {verdict.seconds:.0f} s."]
    if all(verdict.holds(key) for key in lab.requirements):
        lines.append("All that this check looks for holds.")
    return "\n".join(lines)


def score(lab: Lab, verdict: Verdict) -> str:
    """Return "3 of 6 requirements hold, 1 is broken, 2 were not seen"."""
    states = [verdict.state(key) for key in lab.requirements]
    words = [f"{states.count('holds')} of {len(states)} requirements hold"]
    if number := states.count("BROKEN"):
        words.append(f"{number} {'is' if number == 1 else 'are'} broken")
    if number := states.count("not seen"):
        words.append(f"{number} {'was' if number == 1 else 'were'} not seen")
    return ", ".join(words)


def as_json(verdict: Verdict) -> str:
    """Return the verdict as JSON."""
    return json.dumps(asdict(verdict), ensure_ascii=False)


def from_json(text: str) -> Verdict:
    """Return the verdict in the output of `as_json`."""
    read = json.loads(text)
    broken = tuple(Broken(**finding) for finding in read["broken"])
    unseen = tuple(NotSeen(**finding) for finding in read["unseen"])
    return Verdict(**{**read, "broken": broken, "unseen": unseen})
