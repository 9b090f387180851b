"""Run notebooks in JupyterLab, and open the book, in a headless Chromium: ``make test-browser``."""

import signal
import time
from collections.abc import Sequence
from pathlib import Path

import click

from book import building
from book.commands import LOCK as BOOK_LOCK
from helpers.errors import UsageError
from helpers.machine import chromium, packages
from helpers.machine.paths import ROOT
from helpers.suite.commands import NAMES, NOTEBOOKS
from helpers.suite.exits import like_ctrl_c
from helpers.suite.notebooks import find
from helpers.suite.notebooks.running import read
from tests.slow.browser import bad, briefs, drive, practising, reader
from tests.slow.browser.judge import judge, stored_figures

FOLDER = ROOT / "work" / "browser"
LOCK = ROOT / "requirements-browser.lock"


@click.command(epilog=f"{NOTEBOOKS}, the labs' briefs and the book.")
@NAMES
@click.option(
    "--timeout", "timeout_s", type=float, default=180.0, metavar="S",
    help="Time limit of a notebook, in seconds.", show_default=True,
)  # fmt: skip
@click.option("--book", "only_book", is_flag=True, help="Only the book, no notebook.")
@like_ctrl_c(signal.SIGTERM)
def command(names: Sequence[str], timeout_s: float, only_book: bool) -> int:
    packages.ensure(LOCK)
    executable = chromium.find()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    failed = [] if only_book else _notebooks(names, timeout_s, executable)
    if only_book or not names:
        failed += _book(executable)
    for text in failed:
        print(f"  {text}")
    print(f"screenshots are in {FOLDER.relative_to(ROOT)}/")
    return 1 if failed else 0


def _notebooks(names: Sequence[str], timeout_s: float, executable: str) -> list[str]:
    expected = {path.resolve(): "" for path in find(names)}
    if not names:
        expected |= briefs.runs(FOLDER / "briefs")
    if outside := [path.name for path in expected if not path.is_relative_to(ROOT)]:
        raise UsageError(f"{', '.join(outside)} is not in this checkout, which is what is served")
    failed = []
    with drive.lab(FOLDER / "learner") as lab, drive.browser(executable, lab) as browser:
        print("Notebooks with a known fault, which the check has to notice:", flush=True)
        for name, path in bad.write_all(FOLDER / "bad").items():
            _, figures, complaint = bad.CASES[name]
            wrong = _look(browser, path, figures, timeout_s)
            print(f"{name:<24} {'; '.join(wrong) or 'nothing wrong'}", flush=True)
            noticed = [text.startswith(complaint) for text in wrong] if complaint else [not wrong]
            if not any(noticed):
                failed.append(f"the check itself, on its bad notebook {name}: {wrong}")
        print("The notebooks:", flush=True)
        for path, text in expected.items():
            began_s = time.monotonic()
            figures = stored_figures(read(path))
            wrong = _look(browser, path, figures, timeout_s, says=text)
            took_s = time.monotonic() - began_s
            outcome = "FAILED" if wrong else "passed"
            print(f"{drive.shot_name(path):<24} {outcome} {took_s:6.1f} s", flush=True)
            failed += [f"{drive.shot_name(path)}: {complaint}" for complaint in wrong]
        if not names:
            print("The page on which it opens, and an interview:", flush=True)
            failed += practising.wrong(browser, FOLDER)
    return failed


def _book(executable: str) -> list[str]:
    packages.ensure(BOOK_LOCK)
    print("The book:", flush=True)
    building.build(FOLDER / "book", instructors=False)
    with drive.chromium_context(executable) as context:
        return reader.check(context, FOLDER / "book", FOLDER)


def _look(
    browser: drive.Browser, path: Path, figures: int, timeout_s: float, *, says: str = ""
) -> list[str]:
    from playwright.sync_api import Error

    try:
        seen = browser.run(path, FOLDER, timeout_s=timeout_s)
    except (Error, AssertionError) as error:
        return [f"JupyterLab failed: {str(error).splitlines()[0]}"]
    return judge(seen, figures=figures, says=says)
