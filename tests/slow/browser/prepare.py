"""Finds the browser and the library that drives it, and installs what is missing."""

import importlib.metadata
import shutil
import subprocess
import sys

from helpers.errors import RabbitLabError
from helpers.machine import apt
from helpers.machine.paths import ROOT

REQUIREMENTS = ROOT / "requirements-browser.txt"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
TIMEOUT_S = 60.0


class BrowserMissingError(RabbitLabError):
    """There is no browser, and none can be installed from here."""


def library() -> None:
    """Install the driving library into this Python, unless its pinned version is there."""
    wanted = REQUIREMENTS.read_text().split()[-1]
    name, _, version = wanted.partition("==")
    try:
        if importlib.metadata.version(name) == version:
            return
    except importlib.metadata.PackageNotFoundError:
        pass
    print(f"Installing {wanted} …", flush=True)
    command = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement")
    if subprocess.run([sys.executable, *command, REQUIREMENTS], check=False).returncode:
        raise BrowserMissingError(f"installing {wanted} failed; the reason stands above")


def browser() -> str:
    """Return the path of a Chromium that starts; install Debian's where that is possible.

    Raises:
        BrowserMissingError: there is none; the message says how to get one.
    """
    found = _that_starts()
    if found is None and (reason := apt.why_not()):
        raise BrowserMissingError(
            f"there is no Chromium here ({reason}): install the package chromium of this system,"
            " then run `make test-browser` again"
        )
    if found is None:
        print("Installing Debian's chromium with apt-get …", flush=True)
        with apt.alone():
            apt.install(*PACKAGES)
        found = _that_starts()
    if found is None:
        raise BrowserMissingError(
            "the package chromium was installed, yet no browser starts (Ubuntu's package needs"
            " snap): install Google Chrome or another Chromium by hand"
        )
    return found


def _that_starts() -> str | None:
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            try:
                done = subprocess.run(
                    [path, "--version"], capture_output=True, timeout=TIMEOUT_S, check=False
                )
            except (OSError, subprocess.TimeoutExpired):
                continue
            if done.returncode == 0:
                return path
    return None
