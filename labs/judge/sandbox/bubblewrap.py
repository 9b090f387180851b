"""The command of bubblewrap that hides the file system and other processes from a submission."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.machine.paths import ROOT

# What a Python program needs of the system: programs, libraries, names and certificates.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/hosts",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd", "/etc/ssl",
)  # fmt: skip


def program() -> str | None:
    """Return the path of bubblewrap, or None where it is not installed."""
    return shutil.which("bwrap")


def why_not() -> str:
    """Return why the sandbox cannot start on this machine, or "" when it does."""
    if program() is None:
        return "bubblewrap is not installed"
    with tempfile.TemporaryDirectory(prefix="sandbox-") as name:
        folder = Path(name)
        command = sandboxed([sys.executable, "-c", ""], submission=folder / "x.py", folder=folder)
        try:
            tried = subprocess.run(
                command, capture_output=True, text=True, errors="replace", check=False, timeout=30
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    last = (tried.stderr.strip().splitlines() or [f"exit status {tried.returncode}"])[-1]
    return last if tried.returncode else ""


def sandboxed(command: Sequence[str], *, submission: Path, folder: Path) -> list[str]:
    """Return a command that runs another one in a sandbox; without bubblewrap, the other one.

    In the sandbox a process sees no process from outside. Of the file system it sees what Python
    needs, the judge, the submission's folder and ``folder``: no other submission, and no home.

    Args:
        command: a command that runs Python.
        submission: the learner's file; the files beside it can be read, too.
        folder: the only folder that can be written to.
    """
    bwrap = program()
    if bwrap is None:
        return list(command)
    pythons = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])}
    judge = (ROOT / "helpers", ROOT / "labs" / "__init__.py", ROOT / "labs" / "judge")
    readable = [*SYSTEM, *sorted(pythons), *map(str, judge), str(submission.parent)]
    return [
        bwrap,
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),
        *(word for place in readable for word in ("--ro-bind-try", place, place)),
        *("--bind", str(folder), str(folder)),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"),
        *command,
    ]
