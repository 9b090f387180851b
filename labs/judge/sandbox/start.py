"""Start the host process of a submission, in a sandbox when its limits ask for one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.machine.paths import ROOT
from labs.judge.sandbox import bubblewrap
from labs.judge.sandbox.limits import Limits


def start_host(
    submission: Path, address: str, *, folder: Path, limits: Limits, modules: Sequence[str]
) -> subprocess.Popen[str]:
    """Start `labs.judge.sandbox.host` for a submission, and return the process.

    Args:
        submission: the learner's file.
        address: path of the socket where the judge listens for boundaries.
        folder: scratch folder of the trial; errors of the host go to ``host.txt`` there.
        limits: bounds of all processes of the submission.
        modules: what the host imports before it forks.
    """
    command = [sys.executable, "-m", "labs.judge.sandbox.host", str(submission), address]
    command += [limits.as_json(), *modules]
    if limits.sandboxed:
        command = bubblewrap.sandboxed(command, submission=submission, folder=folder)
    with (folder / "host.txt").open("wb") as errors:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(),
            cwd=folder,
            start_new_session=True,
        )


def environment() -> dict[str, str]:
    """Return the environment of a submission's processes, which has no credentials."""
    passed_on = ("PATH", "LANG", "LC_ALL", "TZ")
    return {
        **{name: os.environ[name] for name in passed_on if name in os.environ},
        "HOME": "/nonexistent",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
    }
