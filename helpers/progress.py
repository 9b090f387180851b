"""One line that says how far a long cell is, updated in place."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], what: str) -> Iterator[T]:
    """Yield the items and show how many are done.

    In a notebook one line is updated in place; elsewhere nothing is shown. When the loop is
    interrupted, the line keeps the last count.

    Args:
        items: what to go through; its length is shown when it has one.
        what: what is being done: "prefetch settings measured".
    """
    total = f" of {len(items)}" if isinstance(items, Sized) else ""
    show = _line()
    show(f"0{total} {what}")
    for done, item in enumerate(items, 1):
        yield item
        show(f"{done}{total} {what}")


class _Text:
    """A plain text that replaces itself; it has no repr of its own beside the text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _line():  # type: ignore[no-untyped-def]
    """Return a function that shows a text, each call in the place of the one before."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return lambda text: None
    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return lambda text: None
    handle = display(_Text(""), display_id=True)
    return lambda text: handle.update(_Text(text))
