"""Find a Chromium that runs without a screen, or install Debian's."""

import shutil
import subprocess

from helpers.errors import RabbitLabError
from helpers.machine import apt
from helpers.machine.telling import say

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")
TIMEOUT_S = 60.0
# Neither a sandbox, which root cannot have, nor anything that asks the network on its own.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


class BrowserMissingError(RabbitLabError):
    """There is no browser, and it cannot be installed."""


def find() -> str:
    """Return the path of a Chromium that starts; without one, install Debian's package.

    Raises:
        BrowserMissingError: there is none and none can be installed; the message says how to.
    """
    chromium = _working_browser()
    if chromium is None and (reason := apt.why_not()):
        raise BrowserMissingError(
            f"there is no Chromium here ({reason}): install the package chromium of this system,"
            " then run the same command again"
        )
    if chromium is None:
        say("Installing Debian's chromium with apt-get …")
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
