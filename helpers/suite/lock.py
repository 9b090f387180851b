"""Write the lock files: ``make lock``.

A requirements file pins the packages that are used directly; its lock file pins these and all
packages that they need, with hashes, for each Python and system.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.paths import ROOT
from helpers.suite.bootstrap import pip_options, uv_environment

MAIN = "requirements.lock"
# Each lock file and its requirements file. All but the first take common packages from the first.
LOCKS = {
    MAIN: "requirements.txt",
    "requirements-book.lock": "requirements-book.txt",
    "requirements-browser.lock": "requirements-browser.txt",
    "docker/classroom/requirements-classroom.lock": "docker/classroom/requirements-classroom.txt",
}
OLDEST_PYTHON = "3.11"  # as in pyproject.toml
PIN = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", re.MULTILINE)
# One package of a lock file: its pin, and after the hashes the packages that need it.
LOCKED = re.compile(PIN.pattern + r"[^#]*((?:#.*\n *)*)", re.MULTILINE)


class LockError(RabbitLabError):
    """uv cannot write a lock file; the message holds its reason."""


def write() -> None:
    """Write all lock files; a version that still fits stays.

    Raises:
        LockError: a download fails, or no versions fit together.
    """
    environment = uv_environment(pip_options(), os.environ)
    for lock, requirements in LOCKS.items():
        common = [] if lock == MAIN else ["--constraints", MAIN]
        done = subprocess.run(
            [
                Path(sys.executable).with_name("uv"), "pip", "compile", "--quiet",
                "--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes",
                "--no-emit-index-url", "--custom-compile-command", "make lock",
                *common, requirements, "--output-file", lock,
            ],
            cwd=ROOT, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise LockError(f"{lock} cannot be written: {done.stderr.strip()}")
        print(f"{lock}: {len(pins(ROOT / lock))} packages")


def stale(root: Path = ROOT) -> list[str]:
    """Return a sentence for each package that a lock file has otherwise than its requirements file.

    Args:
        root: the checkout.
    """
    sentences = []
    for lock, requirements in LOCKS.items():
        wanted, locked = pins(root / requirements), _direct(root / lock, requirements)
        for name in sorted(wanted.keys() | locked.keys()):
            if wanted.get(name) != locked.get(name):
                sentences.append(
                    f"{lock} has {name} {locked.get(name)}, {requirements} {wanted.get(name)}:"
                    " run `make lock`"
                )
    return sentences


def pins(file: Path) -> dict[str, str]:
    """Return the version of each package that a requirements or lock file pins."""
    return {_normal(name): version for name, version in PIN.findall(file.read_text())}


def _direct(lock: Path, requirements: str) -> dict[str, str]:
    """Return the versions that the lock file has because of its requirements file."""
    return {
        _normal(name): version
        for name, version, needed_by in LOCKED.findall(lock.read_text())
        if f"-r {requirements}" in needed_by
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
