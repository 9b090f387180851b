"""Read numbers at a steady pace while something else runs."""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError

if TYPE_CHECKING:
    import pandas as pd

LAST_READ_S = 40.0


class Sampler:
    """A thread that reads numbers at a steady pace; see `sample`."""

    def __init__(self, read: Callable[[], Mapping[str, float]], *, every_s: float) -> None:
        """Prepare a sampler; ``with`` starts and ends it."""
        if not every_s > 0:
            raise UsageError(f"every_s must be more than 0, not {every_s!r}")
        self._read, self._every_s = read, every_s
        self._rows: list[dict[str, float]] = []
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._last_read = True
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        """Start reading."""
        self._start_s = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Read once more, end the thread, and raise what ``read`` raised."""
        self._last_read = error is None
        self._stop.set()
        self._thread.join(LAST_READ_S)
        problem: RabbitLabError | None = None
        if self._thread.is_alive():
            problem = WaitTimeoutError(f"the sampler's read has not returned for {LAST_READ_S:g} s")
        elif self._error is not None:
            problem = RabbitLabError(
                f"sampling ended after {len(self._rows)} samples:"
                f" {type(self._error).__name__}: {self._error}"
            )
        if problem is None:
            return
        if error is None:
            raise problem from self._error
        error.add_note(str(problem))

    def frame(self) -> "pd.DataFrame":
        """Return the samples taken so far.

        Returns:
            DataFrame: ``t_s`` float [s since the start], then one float column per name that
            ``read`` returned, missing where a reading did not have it.

        Source: the convention of this package.
        """
        import pandas as pd

        frame = pd.DataFrame(list(self._rows))
        return (frame if len(frame) else pd.DataFrame(columns=["t_s"])).astype(float)

    def _run(self) -> None:
        ticks = 0
        try:
            while not self._stop.is_set():
                self._sample()
                now_s = time.perf_counter() - self._start_s
                ticks = max(ticks + 1, int(now_s / self._every_s))  # a slow read skips its ticks
                self._stop.wait(max(0.0, ticks * self._every_s - now_s))
            if self._last_read:
                self._sample()
        except Exception as error:
            self._error = error

    def _sample(self) -> None:
        before_s = time.perf_counter()
        values = {name: float(value) for name, value in self._read().items()}
        middle_s = (before_s + time.perf_counter()) / 2 - self._start_s
        self._rows.append({"t_s": middle_s, **values})


def sample(read: Callable[[], Mapping[str, float]], *, every_s: float) -> Sampler:
    """Read numbers at a steady pace on a thread while the ``with`` block runs.

    Args:
        read: returns numbers by name; it runs on the sampler's thread, so it must not use a
            connection of another thread.
        every_s: time between two readings in seconds, more than 0. One reading is taken at the
            start and one at the end of the block, too.

    Returns:
        A context manager with ``.frame()``: DataFrame of ``t_s`` float [s] and one float column
        per name. Leaving it ends the thread, also after KeyboardInterrupt.

    Raises:
        UsageError: every_s is not more than 0.
        RabbitLabError: on leaving: ``read`` failed; if the block failed too, its error is raised
            with a note on this one.

    Source: the convention of this package.
    """
    return Sampler(read, every_s=every_s)
