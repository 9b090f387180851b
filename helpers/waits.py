"""Wait for a condition, always with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

from helpers.errors import WaitTimeoutError

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], *, timeout_s: float, what: str, every_s: float = 0.01
) -> T:
    """Call ``condition`` until its result is true, and return that result.

    Args:
        condition: called at least once, also when ``timeout_s`` is 0.
        timeout_s: deadline in seconds.
        what: the condition in words, for the error: "3 messages in the DLQ".
        every_s: pause between two calls in seconds.

    Raises:
        WaitTimeoutError: the deadline passed; the message holds the last result, if it is more
            than False or None.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            # Of a condition that is true or false, the last value says nothing.
            last = "" if result is False or result is None else f"; last value: {result!r}"
            raise WaitTimeoutError(f"timed out after {timeout_s:g} s waiting for {what}{last}")
        time.sleep(every_s)
