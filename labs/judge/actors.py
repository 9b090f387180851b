"""The learner's processes: started, observed, killed, and restarted as by a supervisor."""

import itertools
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs.judge.errors import UnusableError
from labs.judge.sandbox import process_tree
from labs.judge.sandbox.limits import Limits
from labs.judge.sandbox.start import start_host

END_S = 5.0  # for a killed process to end
HOLD_S = 5.0  # the longest that an actor is held at a boundary
SHOWN_CHARS = 500


@dataclass(frozen=True)
class Boundary:
    """A point that a learner's code has reached; the code stops there until the judge answers."""

    actor: str
    at: str  # "delivery", "before effect", "after commit", "subscribed", "returned", …
    message: str
    details: dict[str, Any]
    t_s: float  # time.monotonic()

    @property
    def moment(self) -> str:
        """The boundary in words: "before ack", "on delivery"."""
        return f"on {self.at}" if self.at == "delivery" else self.at


class Actor:
    """One of the learner's functions, which runs in a separate process."""

    def __init__(
        self, pool: "ActorPool", role: str, arguments: Sequence[Any], name: str, key: str
    ) -> None:
        self.role, self.arguments, self.name, self.key = role, list(arguments), name, key
        self.boundaries: list[Boundary] = []
        self.code: int | None = None  # exit status, negative for a signal, None while it runs
        self.restarts = 0
        self.ended = threading.Event()
        self._pool = pool
        self.output = pool.folder / f"{key}.txt"

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
            self._pool.send({"name": self.key, "signal": int(number)})

    def _last(self, at: str) -> Boundary | None:
        return next((boundary for boundary in reversed(self.boundaries) if boundary.at == at), None)


class ActorPool:
    """All actors of a trial, the host process that forks them, and the socket they report to."""

    def __init__(
        self,
        submission: Path,
        folder: Path,
        modules: Sequence[str],
        limits: Limits,
        arrived: Callable[[Actor, Boundary], Any],
    ) -> None:
        """Prepare a pool without a process.

        Args:
            submission: the learner's file.
            folder: scratch folder for the socket and the actors' output.
            modules: what the host imports before it forks.
            limits: bounds of all processes.
            arrived: called at each boundary; returns "go", "cut", "kill", or an event to wait for.
        """
        self.folder = folder
        self._submission, self._modules, self._limits = submission, modules, limits
        self._arrived = arrived
        self._actors: dict[str, Actor] = {}
        self._keys = itertools.count(1)
        self._ending = False
        self._lock = threading.RLock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._host: subprocess.Popen[str] | None = None
        self._closed = threading.Event()
        self.unusable = ""  # why the submission cannot be judged

    def open(self) -> None:
        """Start the host process, and listen for the actors that it will fork."""
        address = str(self.folder / "judge.sock")
        self._listener.bind(address)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        self._host = start_host(
            self._submission,
            address,
            folder=self.folder,
            limits=self._limits,
            modules=self._modules,
        )
        threading.Thread(target=self._listen_to_host, daemon=True).start()
        threading.Thread(target=self._limit_processes, daemon=True).start()

    def close(self) -> None:
        """End all actors and the host process."""
        self._ending = True
        self._closed.set()
        if self._host is not None:
            process_tree.end(self._host.pid)
            self._host.wait(END_S)
            for pipe in (self._host.stdin, self._host.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
        self._listener.close()

    def start(self, role: str, arguments: Sequence[Any], name: str, restarts: int) -> Actor:
        """Fork an actor; see `Trial.start`."""
        with self._lock:
            key = f"{next(self._keys)}-{role}"
            actor = Actor(self, role, arguments, name, key)
            actor.restarts = restarts
            self._actors[key] = actor
        self.send({"name": key, "role": role, "args": actor.arguments, "output": str(actor.output)})
        return actor

    def actors(self) -> list[Actor]:
        """Return all actors since the last `end_all`, in the order of their start."""
        with self._lock:
            return list(self._actors.values())

    def end_all(self) -> None:
        """Kill all actors, and wait for their ends."""
        with self._lock:
            self._ending = True
            running = [actor for actor in self._actors.values() if actor.running]
        for actor in running:
            actor.signal(signal.SIGKILL)
        deadline = time.monotonic() + END_S
        for actor in running:
            actor.ended.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._actors.clear()
            self._ending = False

    def send(self, command: dict[str, Any]) -> None:
        """Send a command to the host process.

        Raises:
            UnusableError: the host has ended, which only the learner's code can have caused.
        """
        host = self._host
        assert host is not None and host.stdin is not None
        try:
            with self._lock:
                host.stdin.write(json.dumps(command) + "\n")
                host.stdin.flush()
        except (OSError, ValueError):
            raise UnusableError(
                self.unusable or f"the process that runs it has ended; {self._host_errors()}"
            ) from None

    def _host_errors(self) -> str:
        errors = (self.folder / "host.txt").read_text(errors="replace").strip()
        return f"its last errors: {errors[-SHOWN_CHARS:]}" if errors else "it printed no error"

    def _limit_processes(self) -> None:
        """End a submission that starts too many processes."""
        assert self._host is not None
        most = self._limits.processes
        if process_tree.grows_beyond(self._host.pid, most, self._closed):
            self.unusable = f"it had more than {most} processes at once"
            process_tree.end(self._host.pid)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        """Answer the boundaries of one thread of an actor, in the order in which they come."""
        with suppress(OSError, ValueError), link, link.makefile("rw", encoding="utf-8") as file:
            actor = self._actors.get(json.loads(file.readline())["actor"])
            for line in file:
                details = json.loads(line)
                if actor is None:
                    return
                boundary = Boundary(
                    actor.name, str(details.pop("at")), str(details.pop("message")), details,
                    time.monotonic(),
                )  # fmt: skip
                if boundary.at == "unusable":
                    self.unusable = str(details.get("error", ""))
                order = self._arrived(actor, boundary)
                if order == "kill":
                    actor.kill()
                    return
                if isinstance(order, threading.Event):
                    order.wait(HOLD_S)
                    order = "go"
                file.write(f"{order}\n")
                file.flush()

    def _listen_to_host(self) -> None:
        """Note the end of each actor that the host reports, and at last the end of the host."""
        assert self._host is not None and self._host.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._host.stdout:
                event = json.loads(line)
                actor = self._actors.get(event["ended"])
                if actor is not None:
                    self._ended(actor, int(event["code"]))
        if not self._closed.is_set():
            self.unusable = self.unusable or "it ended the process that runs it"
        for actor in list(self._actors.values()):  # all end with the host
            if actor.running:
                self._ended(actor, -signal.SIGKILL)

    def _ended(self, actor: Actor, code: int) -> None:
        actor.code = code
        # Decide about a restart before setting `ended`: `end_all` returns after the last one, and
        # no actor may start after that.
        with self._lock, suppress(UnusableError):
            if actor.restarts > 0 and not self._ending and not actor.returned:
                self.start(actor.role, actor.arguments, actor.name, actor.restarts - 1)
        actor.ended.set()
