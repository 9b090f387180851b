"""A folder of submissions, judged one by one, each on its own: ``make grade DIR=submissions/``.

Each submission runs in processes of its own, with limits, in a sandbox where there is bubblewrap,
and with a vhost and a user of its own. What it does to itself costs only its own time. Verdicts
are kept as they come, so that an interrupted run goes on where it stopped.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from labs.judge import checking
from labs.judge.model import Verdict, folder_of

NAMED = re.compile(r"(?:.*[_-])?lab(\d\d?)\.py")
BIGGEST_BYTES = 1_000_000  # of a file; what a learner writes is a hundredth of it
MOST_FILES = 50
GRACE_S = 30.0  # beyond the check's own limit, before its process is killed


@dataclass(frozen=True)
class Submission:
    """What one learner handed in for one lab."""

    learner: str
    lab: int
    path: Path
    digest: str  # of the file and of what judges it
    alone: bool  # a file among those of other learners: nothing beside it belongs to it


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict."""

    submission: Submission
    verdict: Verdict


def submissions(folder: Path, lab: int | None) -> list[Submission]:
    """Find what was handed in.

    Args:
        folder: it holds a file or a folder for each learner, who is named by it. In a folder,
            files named ``lab03.py`` or ``…_lab03.py`` say for which lab they are, at any depth.
        lab: the lab that files of another name are for; None: they are an error.

    Returns:
        Submissions, in the order of learners and labs.

    Raises:
        UsageError: nothing there, or a file that does not say for which lab it is.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: name the one with the submissions")
    collected = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "_")) or entry.is_symlink():
            continue
        if entry.is_dir():
            files = [path for path in sorted(entry.rglob("*.py")) if not path.is_symlink()]
            named = [path for path in files if NAMED.fullmatch(path.name)]
            collected += [
                _submission(entry.name, path, lab, alone=False) for path in named or files[:1]
            ]
        elif entry.suffix == ".py":
            learner = re.sub(r"[_-]lab\d\d?$", "", entry.stem)
            collected.append(_submission(learner, entry, lab, alone=True))
    collected = [submission for submission in collected if lab is None or submission.lab == lab]
    if not collected:
        raise UsageError(f"{folder} holds no submission: a file or a folder for each learner")
    return collected


def _submission(learner: str, path: Path, lab: int | None, *, alone: bool) -> Submission:
    match = NAMED.fullmatch(path.name)
    number = int(match[1]) if match else lab
    if number is None:
        raise UsageError(f"{path} does not say for which lab it is: give LAB=, or name it lab03.py")
    digest = hashlib.sha256()
    judges = [*folder_of(number).glob("*.py"), *(ROOT / "labs" / "judge").rglob("*.py")]
    for file in [path, *sorted(judges)]:
        digest.update(file.read_bytes()[:BIGGEST_BYTES])
    return Submission(learner, number, path, digest.hexdigest(), alone)


def grade(
    collected: Sequence[Submission], results: Path, *, jobs: int, seconds: float
) -> Iterator[tuple[Grade, bool]]:
    """Judge submissions, several at once, and keep each verdict as soon as it is there.

    Args:
        found: what `submissions` returned.
        results: folder for the verdicts; those that are there and still fit are not made again.
        jobs: so many at once.
        seconds: time limit of each check.

    Yields:
        Each grade, in the order of ``found``, and whether it was there before.
    """
    results.mkdir(parents=True, exist_ok=True)
    stop = Event()

    def one(submission: Submission) -> tuple[Grade, bool]:
        file = results / f"{_safe(submission.learner)}-lab{submission.lab:02d}.json"
        if earlier := _kept(file, submission):
            return Grade(submission, earlier), True
        if stop.is_set():
            raise InterruptedError
        verdict = _judge(submission, seconds)
        entry = {"digest": submission.digest, "verdict": checking.as_json(verdict)}
        partial = file.with_suffix(".part")
        partial.write_text(json.dumps(entry), encoding="utf-8")
        partial.replace(file)
        return Grade(submission, verdict), False

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(one, collected)
        except BaseException:
            stop.set()
            raise


def _kept(file: Path, submission: Submission) -> Verdict | None:
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        same = entry["digest"] == submission.digest
        return checking.from_json(entry["verdict"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _safe(name: str) -> str:
    """Return a file name that is a learner's alone, whatever the learner is called."""
    plain = re.sub(r"[^\w.-]", "_", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _judge(submission: Submission, seconds: float) -> Verdict:
    """Check a copy of one submission in a process of its own, which is killed when it must be."""
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        copy = Path(folder) / "submission"
        _copy(submission, copy)
        result = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", "labs.judge", "check", str(submission.lab)]
        command += [str(copy / submission.path.name), "--json", str(result), "--hidden"]
        command += ["--seconds", str(seconds), "--sandbox"]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # an interrupt of ours lets it finish what it has begun
        ) as process:
            try:
                _, errors = process.communicate(timeout=seconds + GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                _, errors = process.communicate()
        if result.exists():
            return checking.from_json(result.read_text(encoding="utf-8"))
        last = (errors.strip().splitlines() or ["it said nothing"])[-1][:300]
        return Verdict(
            submission.lab, (), f"its check ended without a verdict: {last}", seconds, ""
        )


def _copy(submission: Submission, target: Path) -> None:
    """Copy a submission and, from a folder of the learner's own, the Python files beside it."""
    target.mkdir()
    files = [submission.path]
    if not submission.alone:
        files += sorted(submission.path.parent.glob("*.py"))[:MOST_FILES]
    for file in files:
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= BIGGEST_BYTES:
            shutil.copyfile(file, target / file.name)
