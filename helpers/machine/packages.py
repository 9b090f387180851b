"""Install the Python packages of a command that most people do not use."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement

from helpers.errors import RabbitLabError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home, shown
from helpers.machine.telling import say

TIMEOUT_S = 900.0


class PackagesMissingError(RabbitLabError):
    """pip cannot install what a lock file pins."""


def ensure(lock: Path) -> None:
    """Announce and install what a lock file pins, unless all of it is installed.

    What an interrupted installation has left out is installed by the next call. Two processes that
    call this at once install it once.

    Args:
        lock: a complete lock file with hashes, such as ``requirements-book.lock``.

    Raises:
        PackagesMissingError: pip fails, or takes too long.
    """
    if not missing(lock):
        return
    with exclusive(home() / "packages.lock", timeout_s=TIMEOUT_S):
        if missing(lock):
            say(f"Installing packages of {shown(lock)} …")
            _install(lock)


def missing(lock: Path) -> list[str]:
    """Return the pins of a lock file, for this Python and system, that are not installed.

    Args:
        lock: the lock file.
    """
    lines = (line.rstrip(" \\") for line in lock.read_text(encoding="utf-8").splitlines())
    pins = [Requirement(line) for line in lines if line and not line.startswith((" ", "#"))]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return [str(pin) for pin in here if not pin.specifier.contains(_installed(pin.name))]


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "0"  # no pin has it


def _install(lock: Path) -> None:
    # The lock file is complete; with dependencies pip 23.0 would overlook pins.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--require-hashes", "--requirement", str(lock)]
    failed = f"installing the packages of {shown(lock)} failed"
    try:
        done = subprocess.run(command, check=False, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise PackagesMissingError(
            f"{failed}: pip took longer than {TIMEOUT_S:g} s; run the command again"
        ) from None
    if done.returncode:
        raise PackagesMissingError(
            f"{failed}; the reason stands above (is there a network, or a proxy to set?)"
        )
