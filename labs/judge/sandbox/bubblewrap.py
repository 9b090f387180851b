"""The command of bubblewrap that hides the file system and other processes from a submission."""

import functools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from helpers.machine.paths import ROOT

# What a Python program needs of the system: programs, libraries, names and certificates.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/hosts",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd", "/etc/resolv.conf",
    "/etc/ssl",
)  # fmt: skip
TRIAL_S = 20.0


def program() -> str | None:
    """Return the path of bubblewrap, or None where it is not installed."""
    return shutil.which("bwrap")


def why_not() -> str:
    """Return in one sentence why bubblewrap cannot be used here, or "" when it can."""
    bwrap = program()
    if bwrap is None:
        return "there is no bubblewrap here (Debian: apt-get install bubblewrap)"
    return _why_it_fails(bwrap)


@functools.cache
def _why_it_fails(bwrap: str) -> str:
    """Start Python in a sandbox once: inside many containers bubblewrap may not make one."""
    nowhere = ROOT / "labs" / "judge"  # any folder will do
    command = [*_command(bwrap, submission=nowhere, folder=nowhere), sys.executable, "-ISc", ""]
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=TRIAL_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot start here: {error}"
    if not ran.returncode:
        return ""
    last = (ran.stderr.strip().splitlines() or [f"it ended with {ran.returncode}"])[-1]
    return f"bubblewrap cannot start here: {last.removeprefix('bwrap: ')}"


def sandboxed(command: Sequence[str], *, submission: Path, folder: Path) -> list[str]:
    """Return a command that runs another one in a sandbox; where `why_not`, the other one.

    In the sandbox a process sees no process from outside. Of the file system it sees what Python
    needs, the judge, the submission's folder and ``folder``: no other submission, and no home.

    Args:
        command: a command that runs Python.
        submission: the learner's file; the files beside it can be read, too.
        folder: the only folder that can be written to.
    """
    if why_not():
        return list(command)
    return [*_command(program() or "", submission=submission.parent, folder=folder), *command]


def _command(bwrap: str, *, submission: Path, folder: Path) -> list[str]:
    pythons = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])}
    judge = (ROOT / "helpers", ROOT / "labs" / "__init__.py", ROOT / "labs" / "judge")
    readable = [*SYSTEM, *sorted(pythons), *map(str, judge), str(submission)]
    return [
        bwrap,
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),
        *(word for place in readable for word in ("--ro-bind-try", place, place)),
        *("--bind", str(folder), str(folder)),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"),
    ]
