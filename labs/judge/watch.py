"""The boundaries that a submission has reached, and waits for what happens at them."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from helpers.errors import WaitTimeoutError
from labs.judge.actor import Boundary
from labs.judge.errors import OutOfTimeError, UnusableError

LOOK_S = 0.02
PATIENCE_S = 8.0  # the briefs say it: correct code may be quiet for less than this
TIMEOUT_S = 15.0
CALM_S = 0.3


class Watch:
    """All boundaries since the last `Trial.fresh`, in the order in which they were reached.

    ``changed`` is notified after each one; it also locks what belongs to a boundary.
    """

    def __init__(
        self,
        seconds: float,
        *,
        unusable: Callable[[], str],
        active: Callable[[], bool],
        loading: Callable[[], bool],
    ) -> None:
        """Start the clock of the check.

        Args:
            seconds: time limit of the whole check.
            unusable: returns why the submission cannot be judged, or "" while it can.
            active: returns whether a process of the submission runs.
            loading: returns whether one is still loading the submission, which is no silence.
        """
        self.boundaries: list[Boundary] = []
        self.patient = True  # false once a play has been silent for long: it happens only once
        self.changed = threading.Condition()
        self._deadline = time.monotonic() + seconds
        self._unusable, self._active, self._loading = unusable, active, loading

    def begin(self) -> None:
        """Forget all boundaries: a new play begins."""
        self.boundaries, self.patient = [], True

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
        value = self._until(condition, timeout_s=timeout_s, quiet_s=timeout_s)
        if value is None:
            raise WaitTimeoutError(f"timed out after {timeout_s:g} s waiting for {what}")
        return value

    def settle(
        self,
        condition: Callable[[], Any],
        *,
        timeout_s: float = TIMEOUT_S,
        quiet_s: float = 1.0,
        patience_s: float = PATIENCE_S,
    ) -> Any:
        """Wait until ``condition()`` is true, which it becomes with correct code.

        Silence is not the end: code may be slow to start, to work, or to reconnect. So as long as
        a process runs, this waits for ``patience_s`` of silence; after one such wait in vain, the
        rest of the play gets by with ``quiet_s``.

        Args:
            condition: evaluated after each boundary, and every 20 ms.
            timeout_s: deadline in seconds.
            quiet_s: give up when no boundary was reached for so long, in seconds, and either no
                process runs or this play has already been silent for long.
            patience_s: give up when no boundary was reached for so long, in seconds; 0 for what
                may as well stay false.

        Returns:
            The value of ``condition()``, or None when it did not become true.

        Raises:
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        return self._until(
            condition, timeout_s=timeout_s, quiet_s=quiet_s, patience_s=max(quiet_s, patience_s)
        )

    def calm(self, quiet_s: float = CALM_S, *, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until no boundary has been reached for ``quiet_s`` seconds: what follows a success.

        Args:
            quiet_s: in seconds; long enough for what code does right after an ack.
            timeout_s: deadline in seconds.

        Raises:
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        self._until(lambda: False, timeout_s=timeout_s, quiet_s=quiet_s)

    def _until(
        self,
        condition: Callable[[], Any],
        *,
        timeout_s: float,
        quiet_s: float,
        patience_s: float = 0.0,
    ) -> Any:
        end = time.monotonic() + timeout_s
        count, last_s = -1, time.monotonic()
        while True:
            if value := condition():
                return value
            if reason := self._unusable():
                raise UnusableError(reason)
            now = time.monotonic()
            if self._loading():  # which has a limit of its own
                end, last_s = now + timeout_s, now
            if len(self.boundaries) != count:
                count, last_s = len(self.boundaries), now
            silent_s = now - last_s
            if now >= end or silent_s >= max(quiet_s, patience_s):
                self.patient = self.patient and patience_s <= quiet_s
                return None
            if silent_s >= quiet_s and not (self.patient and self._active()):
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
            and (message is None or message in boundary.messages)
            and (actor is None or boundary.actor == actor)
            for boundary in list(self.boundaries)
        )

    def acked(self, message: str, *, actor: str | None = None) -> bool:
        """Return whether an ack of a message was sent, alone or together with others.

        It may still come again: the broker drops what a channel has not read when its client ends
        without a close, since gen_server2 puts the exit of a parent before all else.

        Args:
            message: id of the message.
            actor: only by the actor with this name; None: by any.
        """
        return self.count("after ack", message, actor=actor) > 0

    def auto_acks(self, at: Literal["subscribed", "delivery"]) -> bool:
        """Return whether a consumer used auto_ack, as its boundaries of this kind show."""
        return any(
            boundary.at == at and boundary.details.get("auto_ack")
            for boundary in list(self.boundaries)
        )
