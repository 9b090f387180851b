"""The boundaries that a submission has reached, and waits for what happens at them."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from helpers.errors import WaitTimeoutError
from labs.judge.actors import Boundary
from labs.judge.errors import OutOfTimeError, UnusableError

LOOK_S = 0.02


class Watch:
    """All boundaries since the last `Trial.fresh`, in the order in which they were reached.

    ``changed`` is notified after each one; it also locks what belongs to a boundary.
    """

    def __init__(self, seconds: float, unusable: Callable[[], str]) -> None:
        """Start the clock of the check.

        Args:
            seconds: time limit of the whole check.
            unusable: returns why the submission cannot be judged, or "" while it can.
        """
        self.boundaries: list[Boundary] = []
        self.changed = threading.Condition()
        self._deadline = time.monotonic() + seconds
        self._unusable = unusable

    def wait(self, condition: Callable[[], Any], *, timeout_s: float, what: str) -> Any:
        """Wait until ``condition()`` is true, and return its value.

        Args:
            condition: evaluated after each boundary, and every 20 ms.
            timeout_s: deadline in seconds.
            what: what is waited for, for the error.

        Raises:
            WaitTimeoutError: it is not true by the deadline.
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        if (value := self.settle(condition, timeout_s=timeout_s, quiet_s=timeout_s)) is None:
            raise WaitTimeoutError(f"timed out after {timeout_s:g} s waiting for {what}")
        return value

    def settle(
        self, condition: Callable[[], Any], *, timeout_s: float = 10.0, quiet_s: float = 1.0
    ) -> Any:
        """Wait until ``condition()`` is true, or no further boundary is reached.

        Args:
            condition: evaluated after each boundary, and every 20 ms.
            timeout_s: deadline in seconds.
            quiet_s: give up when no boundary was reached for so long, in seconds.

        Returns:
            The value of ``condition()``, or None when it did not become true.

        Raises:
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        end = time.monotonic() + timeout_s
        count, last_s = -1, time.monotonic()
        while True:
            if value := condition():
                return value
            if reason := self._unusable():
                raise UnusableError(reason)
            now = time.monotonic()
            if len(self.boundaries) != count:
                count, last_s = len(self.boundaries), now
            if now >= end or now - last_s >= quiet_s:
                return None
            if now >= self._deadline:
                raise OutOfTimeError("the check ran out of time")
            with self.changed:
                self.changed.wait(LOOK_S)

    def count(self, at: str, message: str | None = None, *, actor: str | None = None) -> int:
        """Return the number of boundaries of a kind since the last `Trial.fresh`.

        Args:
            at: the kind, such as "after ack".
            message: only those about the message with this id; None: about any.
            actor: only those of the actor with this name; None: of any.
        """
        return sum(
            boundary.at == at
            and (message is None or boundary.message == message)
            and (actor is None or boundary.actor == actor)
            for boundary in list(self.boundaries)
        )

    def auto_acks(self, at: Literal["subscribed", "delivery"]) -> bool:
        """Return whether a consumer used auto_ack, as its boundaries of this kind show."""
        return any(
            boundary.at == at and boundary.details.get("auto_ack")
            for boundary in list(self.boundaries)
        )
