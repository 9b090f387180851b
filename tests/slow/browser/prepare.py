"""Find a browser and the library that drives it, or install them."""

import importlib.metadata
import shutil
import subprocess
import sys

from helpers.errors import RabbitLabError
from helpers.machine import apt
from helpers.machine.paths import ROOT

REQUIREMENTS = ROOT / "requirements-browser.txt"
LOCK = ROOT / "requirements-browser.lock"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
TIMEOUT_S = 60.0


class BrowserMissingError(RabbitLabError):
    """There is no browser, or no library to drive it, and it cannot be installed."""


def library() -> None:
    """Install the driving library into this Python, unless its pinned version is installed.

    Raises:
        BrowserMissingError: pip cannot install it.
    """
    wanted = REQUIREMENTS.read_text().split()[-1]
    name, _, version = wanted.partition("==")
    try:
        if importlib.metadata.version(name) == version:
            return
    except importlib.metadata.PackageNotFoundError:
        pass
    print(f"Installing {wanted} …", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--require-hashes", "--requirement", LOCK], check=False).returncode:
        raise BrowserMissingError(f"installing {wanted} failed; the reason stands above")


def browser() -> str:
    """Return the path of a Chromium that starts; without one, install Debian's package.

    Raises:
        BrowserMissingError: there is none and none can be installed; the message says how to.
    """
    chromium = _working_browser()
    if chromium is None and (reason := apt.why_not()):
        raise BrowserMissingError(
            f"there is no Chromium here ({reason}): install the package chromium of this system,"
            " then run `make test-browser` again"
        )
    if chromium is None:
        print("Installing Debian's chromium with apt-get …", flush=True)
        with apt.alone():
            apt.install(*PACKAGES)
        chromium = _working_browser()
    if chromium is None:
        raise BrowserMissingError(
            "the package chromium was installed, yet no browser starts (Ubuntu's package needs"
            " snap): install Google Chrome or another Chromium by hand"
        )
    return chromium


def _working_browser() -> str | None:
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
