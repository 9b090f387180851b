"""Installing a package with apt-get, as root on Debian or Ubuntu, without starting its service."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home

APT_TIMEOUT_S = 900.0
POLICY = Path("/usr/sbin/policy-rc.d")


class AptError(RabbitLabError):
    """apt-get failed; the message holds its last words."""


def why_not() -> str | None:
    """Return why nothing can be installed from here, or None when it can."""
    if not has_apt():
        return "this is not Debian or Ubuntu"
    if os.geteuid() != 0:
        return "installing needs root"
    return None


def has_apt() -> bool:
    """Return whether this system installs its packages with apt-get."""
    return platform.system() == "Linux" and shutil.which("apt-get") is not None


@contextmanager
def alone() -> Iterator[None]:
    """Be the only one of this checkout that installs something."""
    with exclusive(home() / "install.lock", timeout_s=APT_TIMEOUT_S):
        yield


def install(*packages: str) -> None:
    """Install packages; a system service that they bring is not started.

    Raises:
        AptError: apt-get fails or takes too long.
    """
    with _no_services_started():
        command = ("install", "-y", "--no-install-recommends", *packages)
        if _apt(*command).returncode:
            _apt("update")
            done = _apt(*command)
            if done.returncode:
                lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
                words = lines[-1][3:] if lines else done.stderr.strip()[-200:]
                raise AptError(f"`apt-get install {' '.join(packages)}` failed ({words})")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    try:
        return subprocess.run(
            command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise AptError(f"`{' '.join(command)}` took more than {APT_TIMEOUT_S:g} s") from None


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep the package from starting its service, and leave the machine's own policy alone."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
