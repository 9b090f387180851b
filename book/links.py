"""Prove that every link of a built book leads to a page or a place that is there."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "form": "action"}


class Page(HTMLParser):
    """The places that a page has, and the addresses that it names.

    Args:
        text: the page as HTML.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.addresses: list[str] = []
        self.loaded: list[str] = []  # what the browser asks for on its own
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the places and addresses of one element."""
        values = dict(attrs)
        if place := values.get("id"):
            self.places.add(place)
        if address := values.get(LINKS.get(tag, "")):
            (self.addresses if tag in ("a", "form") else self.loaded).append(address)


def check(folder: Path) -> tuple[int, list[str]]:
    """Follow every link between the pages of a book.

    Args:
        folder: the book.

    Returns:
        The number of links, and a sentence for each that leads nowhere, or loads something from
        outside.
    """
    pages = {
        path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))
    }
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        found += [
            f"{name} loads {address} from outside"
            for address in page.loaded
            if urlsplit(address).netloc
        ]
        for address in dict.fromkeys([*page.addresses, *page.loaded]):
            if why := _why_not(address, path, pages):
                found.append(f"{name} links to {address}: {why}")
    inside = (not urlsplit(one).scheme for page in pages.values() for one in page.addresses)
    return sum(inside), found


def _why_not(address: str, path: Path, pages: dict[Path, Page]) -> str:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = Path(path.parent, unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "there is no such file"
    place = unquote(parts.fragment)
    if place and target in pages and place not in pages[target].places:
        return "the page has no such place"
    return ""
