"""Judge a folder of submissions, each in isolation: ``make grade DIR=submissions/``.

Each submission has separate processes with limits, in a sandbox where bubblewrap is installed, and
a separate vhost and user, so it can waste only its own time. Each verdict is stored at once, so
that an interrupted run continues where it stopped.
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
BIGGEST_BYTES = 1_000_000  # of one file; a learner's code has a hundredth of it
MOST_FILES = 50
GRACE_S = 30.0  # after the limit of the check, until its process is killed


@dataclass(frozen=True)
class Submission:
    """The file of one learner for one lab."""

    learner: str
    lab: int
    path: Path
    digest: str  # of the file and of the code that judges it
    alone: bool  # in a folder with other learners' files, which do not belong to it


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict."""

    submission: Submission
    verdict: Verdict


def submissions(folder: Path, lab: int | None) -> list[Submission]:
    """Find all submissions in a folder.

    Args:
        folder: it holds a file or a folder for each learner, with the learner's name. In a
            learner's folder, ``lab03.py`` and ``…_lab03.py`` name their lab, at any depth.
        lab: the lab of files without a lab in their name; None: such a file is an error.

    Returns:
        Submissions, in the order of learners and labs.

    Raises:
        UsageError: there is no submission, or a file does not name its lab.
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
    """Judge submissions, several at once, and store each verdict at once.

    Args:
        collected: submissions, in the order of the grades.
        results: folder for the verdicts; a stored verdict of an unchanged submission is reused.
        jobs: number of checks at once.
        seconds: time limit of each check.

    Yields:
        Each grade, in the order of ``collected``, and whether a stored verdict was reused.
    """
    results.mkdir(parents=True, exist_ok=True)
    stop = Event()

    def grade_one(submission: Submission) -> tuple[Grade, bool]:
        file = results / f"{_safe(submission.learner)}-lab{submission.lab:02d}.json"
        if stored := _stored(file, submission):
            return Grade(submission, stored), True
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
            yield from pool.map(grade_one, collected)
        except BaseException:
            stop.set()
            raise


def _stored(file: Path, submission: Submission) -> Verdict | None:
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        same = entry["digest"] == submission.digest
        return checking.from_json(entry["verdict"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _safe(name: str) -> str:
    """Return a file name that no other learner has, for any learner's name."""
    plain = re.sub(r"[^\w.-]", "_", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _judge(submission: Submission, seconds: float) -> Verdict:
    """Check a copy of one submission in a separate process, which has a time limit."""
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
            start_new_session=True,  # Ctrl-C does not reach it: the check in progress is finished
        ) as process:
            try:
                _, errors = process.communicate(timeout=seconds + GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                _, errors = process.communicate()
        if result.exists():
            return checking.from_json(result.read_text(encoding="utf-8"))
        last = (errors.strip().splitlines() or ["no error message"])[-1][:300]
        return Verdict(
            submission.lab, (), f"its check ended without a verdict: {last}", seconds, ""
        )


def _copy(submission: Submission, target: Path) -> None:
    """Copy a submission; from a learner's folder, also the Python files beside it."""
    target.mkdir()
    files = [submission.path]
    if not submission.alone:
        files += sorted(submission.path.parent.glob("*.py"))[:MOST_FILES]
    for file in files:
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= BIGGEST_BYTES:
            shutil.copyfile(file, target / file.name)
