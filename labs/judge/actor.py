"""One of the learner's processes, and the boundaries that it has reached."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIGNALS = {
    signal.SIGXCPU: "it used more CPU time than a process may",
    signal.SIGXFSZ: "it wrote a bigger file than a process may",
    signal.SIGSEGV: "the Python interpreter crashed",
    signal.SIGBUS: "the Python interpreter crashed",
    signal.SIGABRT: "the Python interpreter crashed",
}
END_S = 5.0  # for a killed process to end
LOADING_S = 20.0  # for a learner's file to be loaded


@dataclass(frozen=True)
class Boundary:
    """A point that a learner's code has reached; the code stops there until the judge answers."""

    actor: str
    at: str  # "delivery", "before effect", "after commit", "subscribed", "returned", …
    message: str
    details: dict[str, Any]
    t_s: float  # time.monotonic()

    @property
    def messages(self) -> list[str]:
        """The messages concerned: several when one ack settles them all."""
        return self.details.get("messages") or [self.message]

    @property
    def moment(self) -> str:
        """The boundary in words: "before ack", "on delivery"."""
        return f"on {self.at}" if self.at == "delivery" else self.at


class Actor:
    """One of the learner's functions, which runs in a separate process."""

    def __init__(
        self,
        role: str,
        arguments: Sequence[Any],
        *,
        name: str,
        key: str,
        output: Path,
        host: int,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        """Prepare an actor without a process.

        Args:
            role: the function's name.
            arguments: its arguments, as JSON can hold them.
            name: the actor's name in stories.
            key: the name that no other actor has.
            output: file for what it prints.
            host: number of the host process that forks it.
            send: passes a command on to this host.
        """
        self.role, self.arguments, self.name, self.key = role, list(arguments), name, key
        self.boundaries: list[Boundary] = []
        self.code: int | None = None  # exit status, negative for a signal, None while it runs
        self.restarts = 0
        self.signalled = False
        self.loaded = False  # whether the file was loaded, so that the function could be called
        self.ended = threading.Event()
        self.forked_s: float | None = None  # time.monotonic(), None while the host is starting
        self.delivered = ""  # id of the message that it was given last
        self.output, self.host, self._send = output, host, send

    def __repr__(self) -> str:
        state = "running" if self.running else f"ended with {self.code}"
        return f"Actor({self.name}, {state}, {len(self.boundaries)} boundaries)"

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return not self.ended.is_set()

    @property
    def subscribed(self) -> bool:
        """Whether the function has begun to consume."""
        return self._last("subscribed") is not None

    @property
    def result(self) -> Any:
        """Return value of the function, as JSON; None while it runs, or when it raised."""
        boundary = self._last("returned")
        return boundary.details.get("result") if boundary else None

    @property
    def returned(self) -> bool:
        """Whether the function has returned without an error."""
        return self._last("returned") is not None

    @property
    def error(self) -> str:
        """The error that the function ended with, in one line, or ""."""
        boundary = self._last("raised") or self._last("unusable")
        return str(boundary.details.get("error", "")) if boundary else ""

    @property
    def loading(self) -> bool:
        """Whether the process runs, and the learner's file is not loaded yet."""
        return self.running and not self.loaded and not self.signalled

    @property
    def how(self) -> str:
        """How the process ended: "exit status 3", or a signal with what it means."""
        if self.code is None or self.code >= 0:
            return f"exit status {self.code}"
        number = signal.Signals(-self.code)
        return f"{number.name}: {SIGNALS[number]}" if number in SIGNALS else number.name

    @property
    def unloadable(self) -> str:
        """Why the learner's file could not be loaded, or "" when it was, or still may be."""
        if self.loaded or self.signalled:
            return ""
        if self.code is not None:
            return f"the file ended its process while it was loaded ({self.how})"
        if self.forked_s is not None and time.monotonic() - self.forked_s > LOADING_S:
            return f"the file did not finish loading within {LOADING_S:g} s"
        return ""

    @property
    def changed_rows(self) -> bool:
        """Whether the transaction that the last boundary ends has changed a row."""
        for boundary in reversed(self.boundaries):
            if boundary is not self.boundaries[-1] and boundary.details.get("committed"):
                break
            if boundary.details.get("rows", boundary.at == "after effect"):
                return True
        return False

    def kill(self) -> None:
        """Send SIGKILL to the process and all that it started, and wait for its end."""
        self.signal(signal.SIGKILL)
        self.ended.wait(END_S)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send a signal, if the process still runs."""
        if self.running:
            self.signalled = True
            self.send({"signal": int(number)})

    def send(self, command: dict[str, Any]) -> None:
        """Send a command about this actor to its host.

        Raises:
            UnusableError: the host has ended.
        """
        self._send({"name": self.key, **command})

    def _last(self, at: str) -> Boundary | None:
        return next((boundary for boundary in reversed(self.boundaries) if boundary.at == at), None)
