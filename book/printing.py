"""Make a PDF of each question from the pages of a built book, with a headless Chromium."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine import chromium
from helpers.machine.paths import shown

FOLDER = "pdf"
TIMEOUT_S = 180.0


class PrintError(RabbitLabError):
    """Chromium made no PDF of a page."""


def write(book: Path) -> Iterator[Path]:
    """Make the PDFs, and yield each file when it is there.

    Args:
        book: the folder of a built book.

    Raises:
        BrowserMissingError: there is no Chromium, and none can be installed.
        PrintError: Chromium fails, or takes too long.
    """
    browser = chromium.find()
    (book / FOLDER).mkdir(exist_ok=True)
    for page in sorted((book / "notebooks").glob("*.html")):
        yield _print(browser, page, book / FOLDER / f"{page.stem}.pdf")


def _print(browser: str, page: Path, file: Path) -> Path:
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser, "--headless", *chromium.FLAGS, f"--user-data-dir={profile}",
            "--no-pdf-header-footer", f"--print-to-pdf={file}", page.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PrintError(f"{shown(page)} could not be printed in {TIMEOUT_S:g} s") from None
    if done.returncode or not file.is_file():
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise PrintError(f"{shown(page)} could not be printed: {last[0]}")
    return file
