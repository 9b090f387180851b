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
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from helpers.machine import files
from helpers.machine.paths import ROOT
from labs.judge import checking
from labs.judge.instructor.collecting import Submission
from labs.judge.model import Verdict

JOBS = min(5 * (os.cpu_count() or 1), 40)  # a check mostly waits
GRACE_S = 30.0  # after the limit of the check, until its process is killed


@dataclass(frozen=True)
class Grade:
    """A submission with its verdict."""

    submission: Submission
    verdict: Verdict


def grade(
    collected: Sequence[Submission],
    results: Path,
    *,
    jobs: int,
    seconds: float,
    sandboxed: bool = True,
) -> Generator[tuple[Grade, bool], None, None]:
    """Judge submissions, several at once, and store each verdict at once.

    Args:
        collected: submissions, in the order of the grades.
        results: folder for the verdicts; a stored verdict of an unchanged submission is reused.
        jobs: number of checks at once.
        seconds: time limit of each check.
        sandboxed: whether to use the sandbox of bubblewrap, where it works.

    Yields:
        Each grade, in the order of ``collected``, and whether a stored verdict was reused.
    """
    results.mkdir(parents=True, exist_ok=True)
    stop = Event()

    def grade_one(submission: Submission) -> tuple[Grade, bool]:
        file = results / f"{_safe(submission.learner)}-lab{submission.lab:02d}.json"
        if stored := _stored(file, submission, seconds):
            return Grade(submission, stored), True
        if stop.is_set():
            raise InterruptedError
        verdict = _judge(submission, seconds, sandboxed)
        if not verdict.rabbitmq:  # the check itself failed: the next run tries it again
            return Grade(submission, verdict), False
        entry = {
            "digest": submission.digest,
            "seconds": seconds,
            "verdict": checking.as_json(verdict),
        }
        files.write(file, json.dumps(entry))
        return Grade(submission, verdict), False

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(grade_one, collected)
        except BaseException:
            stop.set()
            raise


def _stored(file: Path, submission: Submission, seconds: float) -> Verdict | None:
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        same = (entry["digest"], entry["seconds"]) == (submission.digest, seconds)
        return checking.from_json(entry["verdict"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _safe(name: str) -> str:
    """Return a file name that no other learner has, for any learner's name."""
    plain = re.sub(r"[^\w.-]", "_", name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _judge(submission: Submission, seconds: float, sandboxed: bool) -> Verdict:
    """Check a copy of one submission in a separate process, which has a time limit."""
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        code = _copy(submission, Path(folder) / "submission")
        result = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", "labs.judge", "check", str(submission.lab)]
        command += [str(code), "--json", str(result), "--hidden", "--seconds", str(seconds)]
        command += ["--sandbox" if sandboxed else "--no-sandbox"]
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


def _copy(submission: Submission, target: Path) -> Path:
    """Copy a submission with the Python files beside it, and return its file."""
    target.mkdir()
    for path in submission.beside:
        if path.is_file() and not path.is_symlink():
            shutil.copyfile(path, target / path.name)
    notebook = submission.path.suffix.lower() == ".ipynb"
    name = f"lab{submission.lab:02d}" if notebook else submission.path.stem
    file = target / f"{name}.py"
    file.write_bytes(submission.code)
    return file
