"""Show the progress of a long cell in one line, updated in place."""

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], what: str) -> Iterator[T]:
    """Yield the items and show how many are done.

    In a notebook one line is updated in place; elsewhere nothing is shown. When the loop is
    interrupted, the line keeps the last count.

    Args:
        items: the items; their number is shown if it is known.
        what: the unit of progress: "prefetch settings measured".
    """
    total = f" of {len(items)}" if isinstance(items, Sized) else ""
    show = _line()
    show(f"0{total} {what}")
    for done, item in enumerate(items, 1):
        yield item
        show(f"{done}{total} {what}")


class _Text:
    """A text whose repr is the text itself, so that Jupyter shows it without quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _line():  # type: ignore[no-untyped-def]
    """Return a function that shows a text in the place of the previous one."""
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
