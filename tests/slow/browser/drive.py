"""JupyterLab as ``make lab`` serves it, and a headless Chromium in front of it."""

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from helpers.errors import RabbitLabError
from helpers.machine.chromium import FLAGS
from helpers.machine.paths import ROOT
from tests.slow.browser.judge import Seen, leaves_the_machine

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
ADDRESS = re.compile(r"(http://\S+?)/(lab/tree/notebooks\S*)\?token=(\w+)")
SIZE = {"width": 1400, "height": 1000}
AROUND = 150  # pixels of menus and bars
TALL = 4_000  # what is longer has several screenshots: Chromium draws at most 16,384 pixels
# A notebook that was opened before is still there, hidden.
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# JupyterLab draws a traceback as it draws text on stderr; an error without one has its own kind.
RED = ", ".join(
    f"{PANEL} [data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("stderr", "error")
)
SCROLLED = f"document.querySelector('{PANEL} .jp-WindowedPanel-outer')"
LAST_CELL_ENDS_AT = f"""() => {{
    const panel = {SCROLLED};
    const last = [...panel.querySelectorAll('.jp-Cell')].at(-1).getBoundingClientRect();
    return Math.ceil(last.bottom - panel.getBoundingClientRect().top + panel.scrollTop);
}}"""
# Each cell has its number; or one has failed, and no other waits for its turn.
HAS_ENDED = f"""() => {{
    const prompts = document.querySelectorAll('{PANEL} .jp-CodeCell .jp-InputPrompt');
    const texts = [...prompts].map(prompt => prompt.textContent);
    const waits = texts.some(text => text.includes('[*]'));
    const failed = document.querySelector("{RED}") && !waits;
    return failed || texts.every(text => /\\[\\d+\\]:/.test(text));
}}"""
IS_IDLE = re.compile(r"\| Idle")
NUMBER = re.compile(r"\[\d+\]:")


@dataclass(frozen=True)
class Lab:
    """A JupyterLab server that runs."""

    address: str
    first: str  # the page on which it opens, below the address
    token: str

    def end_kernels(self) -> None:
        """End all kernels, which then remove their vhosts."""
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"token {self.token}"
        for entry in session.get(f"{self.address}/api/sessions", timeout=30).json():
            session.delete(f"{self.address}/api/sessions/{entry['id']}", timeout=30)


@contextmanager
def lab(work: Path) -> Iterator[Lab]:
    """Start ``make lab``'s command in this checkout, and end it as Ctrl-C does.

    Args:
        work: the learner's folder: the true one keeps what stands in it.
    """
    with tempfile.TemporaryDirectory() as workspaces:
        server = subprocess.Popen(
            [sys.executable, "-u", "-m", "helpers", "lab", "--no-browser"],
            cwd=ROOT,
            env=os.environ
            | {"JUPYTERLAB_WORKSPACES_DIR": workspaces, "RABBIT_LAB_WORK": str(work)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert server.stdout is not None
            # It ends by itself, with a reason on stderr, when it does not come up in time.
            match = next((m for line in server.stdout if (m := ADDRESS.search(line))), None)
            if match is None:
                raise RabbitLabError("JupyterLab did not start; the reason stands above")
            yield Lab(match[1], match[2], match[3])
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.communicate(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.communicate()


class Browser:
    """A headless Chromium that opens notebooks and runs all their cells.

    Args:
        context: a browser context of playwright.
        lab: the server.
    """

    def __init__(self, context: Any, lab: Lab) -> None:
        self._context, self.lab = context, lab
        self._outside: list[str] = []
        context.on("request", lambda request: self._note(request.url))
        # Nothing outside is really asked for, and no notebook is saved.
        context.route(leaves_the_machine, lambda route: route.abort())
        context.route(re.compile(r"/api/contents/"), self._read_only)

    def run(self, path: Path, folder: Path, *, timeout_s: float) -> Seen:
        """Run all cells of a notebook of this checkout.

        Args:
            path: the notebook.
            folder: where its screenshots go, from top to bottom.
            timeout_s: how long all of its cells together may take.
        """
        from playwright.sync_api import expect

        shot = shot_name(path)
        address = f"lab/workspaces/check/tree/{path.relative_to(ROOT).as_posix()}?reset&"
        with self.page(address, folder / f"{shot}-failed.png") as page:
            page.locator(f"{PANEL} .jp-Cell").first.wait_for(timeout=60_000)
            self.wait_until_idle(page, 60.0)
            # So that what is seen afterwards comes from this run.
            self._choose(page, "Edit", "Clear Outputs of All Cells")
            numbers = page.locator(f"{PANEL} .jp-CodeCell .jp-InputPrompt", has_text=NUMBER)
            expect(numbers).to_have_count(0, timeout=30_000)
            self._choose(page, "Run", "Run All Cells")
            page.wait_for_function(HAS_ENDED, timeout=timeout_s * 1000)
            self.wait_until_idle(page, 30.0)
            return self._look(page, numbers.count(), folder, shot)

    @contextmanager
    def page(self, address: str, failed: Path) -> Iterator[Any]:
        """Open a page of JupyterLab; at its end all kernels end.

        Args:
            address: below the server's, to which ``token=…`` is added.
            failed: file of the screenshot that is taken when something fails.
        """
        from playwright.sync_api import Error

        self._outside.clear()
        page = self._context.new_page()
        page.set_viewport_size(SIZE)
        page.on("websocket", lambda socket: self._note(socket.url))
        try:
            page.goto(f"{self.lab.address}/{address}token={self.lab.token}")
            yield page
        except (Error, AssertionError):
            page.screenshot(path=failed)
            raise
        finally:
            page.close()
            self.lab.end_kernels()

    def _look(self, page: Any, numbered: int, folder: Path, name: str) -> Seen:
        ends_at = page.evaluate(LAST_CELL_ENDS_AT)
        height = min(max(ends_at + AROUND, SIZE["height"]), TALL)
        page.set_viewport_size({**SIZE, "height": height})
        page.wait_for_function(f"{SCROLLED}.clientHeight > {height - 2 * AROUND}", timeout=30_000)
        shown = page.evaluate(f"{SCROLLED}.clientHeight")
        for part in range(math.ceil(ends_at / shown)):
            page.evaluate(f"{SCROLLED}.scrollTop = {part * shown}")
            clip = {**SIZE, "x": 0, "y": 0, "height": min(height, ends_at - part * shown + AROUND)}
            page.screenshot(path=folder / f"{name}-{part + 1}.png", clip=clip)
        return Seen(
            cells=page.locator(f"{PANEL} .jp-CodeCell").count(),
            numbered=numbered,
            figures=page.locator(f"{PANEL} .jp-RenderedImage img").count(),
            red=page.locator(RED).all_inner_texts(),
            outside=list(self._outside),
            printed="\n".join(page.locator(f"{PANEL} .jp-RenderedText").all_inner_texts()),
        )

    def wait_until_idle(self, page: Any, timeout_s: float) -> None:
        """Wait until a notebook's kernel is connected and has nothing to do.

        Args:
            page: that shows the notebook.
            timeout_s: how long that may take.
        """
        from playwright.sync_api import expect

        expect(page.locator(f"{PANEL} .jp-Spinner")).to_have_count(0, timeout=timeout_s * 1000)
        # Before, the kernel may not be connected, and what is chosen in a menu is lost.
        status = page.locator("#jp-main-statusbar")
        expect(status).to_contain_text(IS_IDLE, timeout=timeout_s * 1000)

    def _choose(self, page: Any, menu: str, entry: str) -> None:
        page.get_by_role("menuitem", name=menu, exact=True).click()
        page.get_by_role("menuitem", name=entry, exact=True).click()

    def _note(self, url: str) -> None:
        if leaves_the_machine(url):
            self._outside.append(url)

    def _read_only(self, route: Any) -> None:
        # POST makes the checkpoint without which JupyterLab opens no notebook.
        if route.request.method in ("PUT", "PATCH", "DELETE"):
            route.abort()
        else:
            route.continue_()


def shot_name(path: Path) -> str:
    """Return what a notebook's screenshots are called: its own name, or a brief's lab."""
    return path.parent.name if path.stem == "brief" else path.stem


@contextmanager
def chromium_context(executable: str) -> Iterator[Any]:
    """Start a headless Chromium with an empty profile, and end it."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            headless=True,
            args=FLAGS,
            viewport=SIZE,
            service_workers="block",
        )
        try:
            yield context
        finally:
            context.close()


@contextmanager
def browser(executable: str, lab: Lab) -> Iterator[Browser]:
    """Start the browser for the notebooks of a server, and end it."""
    with chromium_context(executable) as context:
        yield Browser(context, lab)
