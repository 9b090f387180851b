"""The book in the browser, as a reader opens it: from a folder, wide and light, narrow and dark."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from book.sources import claims, questions
from tests.slow.browser.judge import leaves_the_machine

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = (("light", WIDE), ("dark", NARROW))
SEARCH_MS = 100  # a person notices nothing below
TALLEST = 16_000  # pixels of a screenshot: Chromium draws at most 16,384
GRAVE = ("serious", "critical")
TIMEOUT_MS = 30_000
UNFOLD = "document.querySelectorAll('details').forEach((one) => (one.open = true))"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TIMED = """(query) => {
    const began = performance.now();
    show(query);
    return performance.now() - began;
}"""
BAD = """<!doctype html><html lang="en"><head><title>bad</title></head><body><main><h1>bad</h1>
<p style="width: 2000px">wide</p><img src="https://rabbit-lab.invalid/picture.png">
</main></body></html>"""
NOTICED = ("a request that leaves the machine: ", "scrolls sideways by ", "axe: image-alt ")


class Reader:
    """Looks at pages of a built book.

    Args:
        context: a browser context of playwright.
        book: the folder of the book.
        shots: the folder for screenshots.
    """

    def __init__(self, context: Any, book: Path, shots: Path) -> None:
        self.book, self._shots = book, shots
        self._outside: list[str] = []
        self._errors: list[str] = []
        context.set_default_timeout(TIMEOUT_MS)
        context.on("request", lambda request: self._note(request.url))
        context.route(leaves_the_machine, lambda route: route.abort())
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self._errors.append(f"an error: {error}"))

    def open(self, address: str) -> None:
        """Open a page by its place in the book, such as "docs/claims.html#runs"."""
        self._outside.clear()
        self._errors.clear()
        name, mark, anchor = address.partition("#")
        self.page.goto(f"{(self.book / name).as_uri()}{mark}{anchor}")

    def look(self, name: str) -> list[str]:
        """Return what is wrong with a page in each look; keep a screenshot of each.

        Args:
            name: of the page, such as "docs/claims.html".
        """
        wrong = []
        for scheme, size in LOOKS:
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme=scheme)
            self.open(name)
            self._shoot(f"{name.removesuffix('.html').replace('/', '-')}-{size['width']}")
            self.page.evaluate(UNFOLD)
            if wide := self.page.evaluate(TOO_WIDE):
                wrong.append(f"scrolls sideways by {wide} pixels in a window of {size['width']}")
            wrong += [f"{text} ({scheme})" for text in self._axe(name)]
            wrong += [f"a request that leaves the machine: {url}" for url in self._outside]
            wrong += self._errors
        return wrong

    def _axe(self, name: str) -> list[str]:
        from axe_playwright_python.sync_playwright import Axe

        # Code has the same colours in all notebooks, and to look at it takes most of the time.
        once = name.startswith("notebooks/") and questions()[0].path.stem not in name
        context = {"exclude": [[".highlight pre"]]} if once else None
        found = Axe().run(self.page, context=context).response["violations"]
        return [
            f"axe: {rule['id']} at {rule['nodes'][0]['target']}, {len(rule['nodes'])} in all"
            for rule in found
            if rule["impact"] in GRAVE
        ]

    def _shoot(self, name: str) -> None:
        size = self.page.viewport_size
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for part, top in enumerate(range(0, height, TALLEST), 1):
            clip = {"x": 0, "y": top, "width": size["width"], "height": min(TALLEST, height - top)}
            file = self._shots / f"{name}-{part}.png"
            self.page.screenshot(path=file, full_page=True, clip=clip)

    def _note(self, url: str) -> None:
        if leaves_the_machine(url):
            self._outside.append(url)


def check(context: Any, book: Path, shots: Path) -> list[str]:
    """Look at each page of a book, use it as a reader does, and return what is wrong.

    Args:
        context: a browser context of playwright.
        book: the folder of the book.
        shots: the folder for screenshots.
    """
    failed = []
    bad = shots / "bad" / "bad.html"
    bad.parent.mkdir(exist_ok=True)
    bad.write_text(BAD, encoding="utf-8")
    noticed = Reader(context, bad.parent, shots).look(bad.name)
    for fault in NOTICED:
        if not any(text.startswith(fault) for text in noticed):
            failed.append(f"the check itself does not notice on its bad page: {fault}")
    reader = Reader(context, book, shots)
    pages = [path.relative_to(book).as_posix() for path in sorted(book.rglob("*.html"))]
    looks = {name: partial(reader.look, name) for name in pages}
    uses = {use.__name__.strip("_"): partial(_use, reader, use) for use in USES}
    for name, look in {**looks, **uses}.items():
        began_s = time.monotonic()
        wrong = look()
        took_s = time.monotonic() - began_s
        print(f"{name:<46} {'FAILED' if wrong else 'passed'} {took_s:6.1f} s", flush=True)
        failed += [f"{name}: {text}" for text in wrong]
    return failed


def _use(reader: Reader, use: Callable[[Reader], Iterator[str]]) -> list[str]:
    from playwright.sync_api import Error

    reader.page.set_viewport_size(WIDE)
    reader.page.emulate_media(color_scheme="light")
    try:
        return list(use(reader))
    except Error as error:
        return [f"the browser failed: {str(error).splitlines()[0]}"]


def _search(reader: Reader) -> Iterator[str]:
    page = reader.page
    reader.open("index.html")
    page.locator(".sidebar-search").fill("single active consumer")
    page.locator(".sidebar-search").press("Enter")
    page.wait_for_url("**/search.html?q=single+active+consumer")
    first = page.locator("#book-results li").first
    if "single active consumer" not in first.inner_text().lower():
        yield f"the first result for 'single active consumer' is {first.inner_text()!r}"
    field = page.get_by_label("A word, several words")
    for query in ("prefetch", "a message", "q09.5"):
        took_ms = page.evaluate(TIMED, query)
        if took_ms > SEARCH_MS:
            yield f"the search for {query!r} took {took_ms:.0f} ms"
    field.fill("q09.5")
    first = page.locator("#book-results li").first
    first.get_by_role("link").click()
    if wrong := _not_at(reader, "q09.5"):
        yield wrong
    reader.open("search.html")
    page.get_by_label("A word, several words").fill("no such word: zyzzyva")
    if page.locator("#book-found").inner_text() != "Nothing found.":
        yield "it finds what is not there"


def _claims(reader: Reader) -> Iterator[str]:
    """Follow the link of one claim of each question."""
    for question in questions():
        claim = question.rows[-1].claim.id
        reader.open("docs/claims.html")
        reader.page.locator("article table").get_by_role("link", name=claim, exact=True).click()
        if wrong := _not_at(reader, claim):
            yield wrong


def _not_at(reader: Reader, claim: str) -> str:
    question, row = claims()[claim]
    wanted = f"{question.path.stem}.html#cell-id={row.cell}"
    reader.page.wait_for_load_state()
    if not reader.page.url.endswith(wanted):
        return f"{claim} leads to {reader.page.url}, not {wanted}"
    cell = reader.page.locator(":target")
    if not cell.inner_text().partition("“")[0].strip().endswith(f"{claim} ·"):
        return f"{claim}: its cell has another card: {cell.inner_text()[:60]!r}"
    top = cell.bounding_box()["y"]
    return "" if 0 <= top < WIDE["height"] else f"{claim}: its cell is {top:.0f} pixels away"


def _fold(reader: Reader) -> Iterator[str]:
    reader.open("drills/senior.html")
    page = reader.page
    answers = page.locator("article details")
    inside = answers.first.locator("p").first
    if inside.is_visible():
        yield "an answer is shown before it is asked for"
    answers.first.locator("summary").press("Enter")
    if not inside.is_visible():
        yield "the keyboard does not unfold an answer"
    page.get_by_role("button", name="unfold all").click()
    if page.locator("article details[open]").count() != answers.count():
        yield "not all answers are unfolded"


def _dark(reader: Reader) -> Iterator[str]:
    reader.open("index.html")
    body, ground = reader.page.locator("body"), "getComputedStyle(document.body).backgroundColor"
    seen = set()
    for _ in range(3):  # auto, light, dark
        reader.page.locator(".theme-toggle:visible").click()
        seen.add((body.get_attribute("data-theme"), reader.page.evaluate(ground)))
    if len({theme for theme, _ in seen}) != 3 or len({colour for _, colour in seen}) != 2:
        yield f"the button gives {sorted(seen)}"


def _copy(reader: Reader) -> Iterator[str]:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reader.open(f"notebooks/{questions()[0].path.stem}.html")
    block = reader.page.locator("article .highlight").first
    block.get_by_role("button", name="Copy this code").click()
    block.get_by_text("copied").wait_for()
    text = reader.page.evaluate("navigator.clipboard.readText()")
    if text.strip() != block.locator("pre").inner_text().strip():
        yield f"the clipboard has {text[:40]!r}"


USES = (_search, _claims, _fold, _dark, _copy)
