"""Run publishers while something breaks, and find when each of them got confirms."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from helpers.errors import RabbitLabError
from helpers.history import History
from helpers.waits import wait_until

if TYPE_CHECKING:
    import pandas as pd

QUIET_S = 0.25
GOODBYE_S = 20.0

Publish = Callable[[threading.Event], object]


@dataclass(frozen=True)
class Load:
    """Running publishers; see `publishing`."""

    history: History

    def confirms(self, names: Iterable[str]) -> dict[str, int]:
        """Return how many confirms each of these publishers has received."""
        return {name: len(self.history.rows("confirm", actor=name)) for name in names}

    def gained(self, before: Mapping[str, int]) -> dict[str, int]:
        """Return how many more confirms each publisher has received since then.

        Args:
            before: an earlier result of `confirms`.
        """
        return {name: now - before[name] for name, now in self.confirms(before).items()}

    def wait_for_confirms(self, names: Iterable[str], count: int, *, timeout_s: float) -> None:
        """Wait until each of these publishers has received that many further confirms.

        Args:
            names: the publishers' names.
            count: number of further confirms.
            timeout_s: deadline in seconds.

        Raises:
            WaitTimeoutError: the deadline passed.
        """
        before = self.confirms(names)
        wait_until(
            lambda: all(more >= count for more in self.gained(before).values()),
            timeout_s=timeout_s,
            what=f"{count} more confirms of {', '.join(before)}",
        )


@contextmanager
def publishing(publishers: Mapping[str, list[Publish]], history: History) -> Iterator[Load]:
    """Run publishers, each on its own thread, for the time of a ``with`` block.

    Args:
        publishers: by their names, functions that publish until the event they are given is set,
            and write into the history as actors of that name.
        history: for their events.

    Yields:
        The load. At the end of the block the event is set and their threads are joined.

    Raises:
        RabbitLabError: a publisher failed, or did not stop within 20 s.
    """
    stop, failures = threading.Event(), []

    def run(publish: Publish) -> None:
        try:
            publish(stop)
        except Exception as error:  # raised again in the thread of the ``with`` block
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=[publish], name=name, daemon=True)
        for name, several in publishers.items()
        for publish in several
    ]
    for thread in threads:
        thread.start()
    try:
        yield Load(history)
    finally:
        stop.set()
        deadline_s = time.monotonic() + GOODBYE_S
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
    if failures:
        raise RabbitLabError(f"a publisher failed: {failures[0]!r}") from failures[0]
    if stuck := sorted({thread.name for thread in threads if thread.is_alive()}):
        raise RabbitLabError(f"still publishing after {GOODBYE_S:g} s: {', '.join(stuck)}")


def served(
    history: History, publishers: Iterable[str], *, since_s: float, quiet_s: float = QUIET_S
) -> "pd.DataFrame":
    """Reduce a history to the periods in which publishers got confirms.

    Args:
        history: with ``confirm`` events.
        publishers: their names, in the order of the rows.
        since_s: the second of the history that counts as 0.
        quiet_s: without a confirm for longer than this, in seconds, a period has ended.

    Returns:
        DataFrame[publisher str; from_s, to_s float], in seconds.
    """
    import pandas as pd

    times: dict[str, list[float]] = {name: [] for name in publishers}
    for event in history.events("confirm"):
        if event.actor in times:
            times[event.actor].append(round(event.t_s - since_s, 2))
    rows: list[tuple[str, float, float]] = []
    for name, own in times.items():
        begins = [t for last, t in pairwise([-math.inf, *own]) if t - last > quiet_s]
        ends = [t for t, then in pairwise([*own, math.inf]) if then - t > quiet_s]
        rows += [(name, begin, end) for begin, end in zip(begins, ends, strict=True)]
    return pd.DataFrame(rows, columns=["publisher", "from_s", "to_s"])


def longest_gap_s(frame: "pd.DataFrame", publisher: str) -> float:
    """Return the longest time without a confirm between two periods of `served`, in seconds.

    Args:
        frame: returned by `served`.
        publisher: its name.
    """
    own = frame[frame["publisher"] == publisher]
    gaps = own["from_s"].iloc[1:].to_numpy() - own["to_s"].iloc[:-1].to_numpy()
    return float(gaps.max()) if len(gaps) else 0.0
