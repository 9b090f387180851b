"""Check one submission: from the file to the verdict."""

import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from pika.exceptions import AMQPError

from helpers import broker
from helpers.errors import UsageError
from labs.judge.errors import OutOfTimeError, UnusableError
from labs.judge.model import Broken, Lab, Verdict, load
from labs.judge.sandbox.limits import Limits
from labs.judge.trial import Trial

INDENT = " " * 11


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
    """
    lab = load(number)
    if not submission.is_file():
        raise UsageError(
            f"there is no file {submission}: run the brief's cell that writes it, or name the file"
        )
    began = time.monotonic()
    broken: dict[str, Broken] = {}
    unusable = ""
    limits = limits or Limits()
    version = broker.find().version
    with Trial(submission.resolve(), modules=lab.modules, limits=limits, hidden=hidden) as trial:
        try:
            for finding in _findings(lab, trial):
                lab.belief(finding.misconception)  # an error if the belief has no sentence
                broken.setdefault(finding.requirement, finding)
        except UnusableError as error:
            unusable = str(error)
        except OutOfTimeError:
            unusable = f"the check took longer than {limits.seconds:g} s and was ended"
            if trouble := trial.trouble():
                unusable += f"; {trouble}"
        except AMQPError as error:
            unusable = f"the broker ended the check: {type(error).__name__} {error}"
    findings = tuple(broken[key] for key in sorted(broken))
    return Verdict(number, findings, unusable, time.monotonic() - began, version)


def _findings(lab: Lab, trial: Trial) -> Iterator[Broken]:
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
    for key, sentence in lab.requirements.items():
        word = "holds" if verdict.holds(key) else "-" if verdict.unusable else "BROKEN"
        lines.append(f"  {key} {word:<7}{sentence}")
        if key in broken:
            lines.append(f"{INDENT}what happened: {broken[key].story}")
            belief = lab.belief(broken[key].misconception)
            lines.append(f"{INDENT}the belief behind it: {belief}")
    number = sum(verdict.holds(key) for key in lab.requirements)
    total = len(lab.requirements)
    lines += ["", f"{number} of {total} requirements hold, checked in {verdict.seconds:.0f} s."]
    if number == total:
        lines.append("All that this check looks for holds.")
    return "\n".join(lines)


def as_json(verdict: Verdict) -> str:
    """Return the verdict as JSON."""
    return json.dumps(
        {**vars(verdict), "broken": [vars(finding) for finding in verdict.broken]},
        ensure_ascii=False,
    )


def from_json(text: str) -> Verdict:
    """Return the verdict in the output of `as_json`."""
    read = json.loads(text)
    return Verdict(**{**read, "broken": tuple(Broken(**finding) for finding in read["broken"])})
