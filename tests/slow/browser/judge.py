"""What must be true of a notebook that ran in a browser."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nbformat import NotebookNode

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ON_THE_NETWORK = {"http", "https", "ws", "wss", "ftp"}


@dataclass(frozen=True)
class Seen:
    """What the browser showed after "Run All Cells", and what it asked for meanwhile."""

    cells: int
    numbered: int  # cells that show a number: they ran to their end
    figures: int
    red: list[str] = field(default_factory=list)  # errors, and text on stderr
    outside: list[str] = field(default_factory=list)
    printed: str = ""


def leaves_the_machine(url: str) -> bool:
    """Return whether a request goes to another machine."""
    parts = urlsplit(url)
    return parts.scheme in ON_THE_NETWORK and parts.hostname not in LOOPBACK


def stored_figures(nb: NotebookNode) -> int:
    """Return how many figures a notebook has in its outputs."""
    return sum(
        "image/png" in output.get("data", {})
        for cell in nb.cells
        for output in cell.get("outputs", [])
    )


def judge(seen: Seen, *, figures: int, says: str = "") -> list[str]:
    """Return what is wrong, one sentence each.

    Args:
        seen: what the browser showed.
        figures: how many figures there must be.
        says: what must stand among all that the cells printed.
    """
    wrong = [_red(text) for text in seen.red]
    wrong += [f"a request that leaves the machine: {url}" for url in sorted(set(seen.outside))]
    if seen.cells == 0:
        wrong.append("no code cells were shown")
    if seen.numbered != seen.cells:
        wrong.append(f"{seen.numbered} of {seen.cells} code cells ran to their end")
    if seen.figures != figures:
        wrong.append(f"{seen.figures} figures, {figures} are stored")
    if says not in seen.printed:
        wrong.append(f"no cell printed {says!r}")
    return wrong


def _red(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["(blank)"]
    if "Traceback (most recent call last)" in text:
        return f"an error output: {lines[-1]}"
    return f"an error, or text on stderr: {lines[0]}"
