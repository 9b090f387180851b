"""The page on which JupyterLab opens, and an interview, whose form becomes the next one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.machine.paths import notebooks
from practice import forms
from practice.interview import MAGIC
from practice.progress import INTERVIEW
from tests.slow.browser import drive

TIMEOUT_MS = 60_000
FORM = f"{drive.PANEL} .jp-CodeCell:has-text('{MAGIC} %d')"
SAID = "it limits what is unacknowledged"


def wrong(browser: drive.Browser, folder: Path) -> list[str]:
    """Return what is wrong with the first page, and with an interview up to its first marks.

    Args:
        browser: that shows JupyterLab.
        folder: where the screenshots go.
    """
    from playwright.sync_api import Error

    try:
        return [*_on_the_first_page(browser, folder), *_in_the_interview(browser, folder)]
    except Error as error:
        return [f"JupyterLab failed: {str(error).splitlines()[0]}"]


def _on_the_first_page(browser: drive.Browser, folder: Path) -> Iterator[str]:
    with browser.page(f"{browser.lab.first}?", folder / "start-failed.png") as page:
        view = page.locator(".jp-MarkdownViewer")
        view.locator("table").wait_for(timeout=TIMEOUT_MS)
        page.screenshot(path=folder / "start.png")
        rows = view.locator("tbody tr").count()
        if rows != len(notebooks()):
            yield f"the first page has {rows} rows, and there are {len(notebooks())} questions"
        view.locator("tbody tr a").first.click()
        page.locator(f"{drive.PANEL} .jp-Cell").first.wait_for(timeout=TIMEOUT_MS)


def _in_the_interview(browser: drive.Browser, folder: Path) -> Iterator[str]:
    address = f"lab/workspaces/check/tree/notebooks/{INTERVIEW.name}?reset&"
    with browser.page(address, folder / "interview-failed.png") as page:
        page.locator(f"{drive.PANEL} .jp-Cell").first.wait_for(timeout=TIMEOUT_MS)
        browser.wait_until_idle(page, TIMEOUT_MS / 1000)
        _run(page, page.locator(f"{drive.PANEL} .jp-CodeCell").first)
        page.locator(f"{drive.PANEL} .jp-RenderedMarkdown h3").first.wait_for(timeout=TIMEOUT_MS)
        _fill(page, 1, f"\n{SAID}")
        _run(page, page.locator(FORM % 1))
        page.locator(FORM % 2).wait_for(timeout=TIMEOUT_MS)
        page.screenshot(path=folder / "interview.png")
        form = page.locator(FORM % 2).locator(".cm-content").inner_text()
        if forms.WORDS not in form:
            yield f"the second form of an interview has no points: {form[:200]}"
        _run(page, page.locator(FORM % 2))
        page.locator(f"{drive.PANEL} .jp-RenderedMarkdown").last.wait_for(timeout=TIMEOUT_MS)
        page.screenshot(path=folder / "interview-marks.png")


def _fill(page: Any, number: int, text: str) -> None:
    editor = page.locator(FORM % number).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def _run(page: Any, cell: Any) -> None:
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
