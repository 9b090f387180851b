"""The learner's processes: started, listened to, killed, and started again by a supervisor."""

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
from labs.judge.sandbox import limits as walls
from labs.judge.sandbox import process_tree
from labs.judge.sandbox.limits import Limits

GOODBYE_S = 5.0
SAID_BYTES = 4000
HOLD_S = 5.0
WATCH_S = 0.3


@dataclass(frozen=True)
class Boundary:
    """A point that a learner's code reached; it stands still there until it is answered."""

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
    """One of the learner's functions, running as a process of its own."""

    def __init__(
        self, company: "Company", role: str, arguments: Sequence[Any], name: str, key: str
    ) -> None:
        self.role, self.arguments, self.name, self.key = role, list(arguments), name, key
        self.boundaries: list[Boundary] = []
        self.code: int | None = None  # exit status, negative for a signal, None while it runs
        self.restarts = 0
        self.ended = threading.Event()
        self._company = company
        self.output = company.folder / f"{key}.txt"

    def __repr__(self) -> str:
        state = "running" if self.running else f"ended with {self.code}"
        return f"Actor({self.name}, {state}, {len(self.boundaries)} boundaries)"

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return not self.ended.is_set()

    @property
    def subscribed(self) -> bool:
        """Whether it has begun to consume."""
        return self._last("subscribed") is not None

    @property
    def result(self) -> Any:
        """What the function returned, as JSON; None while it runs, or when it raised."""
        found = self._last("returned")
        return found.details.get("result") if found else None

    @property
    def returned(self) -> bool:
        """Whether the function came to its end without an error."""
        return self._last("returned") is not None

    @property
    def error(self) -> str:
        """The error that it ended with, in a line, or ""."""
        found = self._last("raised") or self._last("unusable")
        return str(found.details.get("error", "")) if found else ""

    def said(self) -> str:
        """Return the end of what it has printed."""
        with suppress(OSError), self.output.open("rb") as file:
            file.seek(max(0, self.output.stat().st_size - SAID_BYTES))
            return file.read().decode(errors="replace")
        return ""

    def kill(self) -> None:
        """End it by SIGKILL, with all that it started, and wait for its end."""
        self.signal(signal.SIGKILL)
        self.ended.wait(GOODBYE_S)

    def terminate(self) -> None:
        """Ask it to end by SIGTERM."""
        self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.running:
            self._company.tell({"name": self.key, "signal": int(number)})

    def _last(self, at: str) -> Boundary | None:
        return next((one for one in reversed(self.boundaries) if one.at == at), None)


class Company:
    """All actors of a trial, the process that forks them, and the socket they report to."""

    def __init__(
        self,
        submission: Path,
        folder: Path,
        modules: Sequence[str],
        limits: Limits,
        arrived: Callable[[Actor, Boundary], Any],
    ) -> None:
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
        self.unusable = ""

    def open(self) -> None:
        """Start the process that forks actors, and listen for them."""
        address = str(self.folder / "judge.sock")
        self._listener.bind(address)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        arguments = ["-m", "labs.judge.sandbox.host", str(self._submission), address]
        arguments += [self._limits.as_json(), *self._modules]
        self._host = subprocess.Popen(
            walls.command(
                arguments,
                submission=self._submission,
                folder=self.folder,
                walled=self._limits.walled,
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "host.txt").open("wb"),
            text=True,
            env=walls.environment(),
            cwd=self.folder,
            start_new_session=True,
        )
        threading.Thread(target=self._listen_to_host, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """End everybody and the process that forks."""
        self._ending = True
        self._closed.set()
        if self._host is not None:
            process_tree.end(self._host.pid)
            self._host.wait(GOODBYE_S)
            for pipe in (self._host.stdin, self._host.stdout):
                with suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
        self._listener.close()

    def _watch(self) -> None:
        """End a submission that multiplies."""
        assert self._host is not None
        while not self._closed.wait(WATCH_S):
            if len(process_tree.members(self._host.pid)) > self._limits.processes:
                self.unusable = f"it had more than {self._limits.processes} processes at once"
                process_tree.end(self._host.pid)
                return

    def start(self, role: str, arguments: Sequence[Any], name: str, restarts: int) -> Actor:
        """Fork an actor; see `Trial.start`."""
        with self._lock:
            key = f"{next(self._keys)}-{role}"
            actor = Actor(self, role, arguments, name, key)
            actor.restarts = restarts
            self._actors[key] = actor
        self.tell({"name": key, "role": role, "args": actor.arguments, "output": str(actor.output)})
        return actor

    def actors(self) -> list[Actor]:
        """Return everybody since the last `end_all`, in the order of their start."""
        with self._lock:
            return list(self._actors.values())

    def end_all(self) -> None:
        """Kill everybody, and wait until they are gone."""
        with self._lock:
            self._ending = True
            present = [actor for actor in self._actors.values() if actor.running]
        for actor in present:
            actor.signal(signal.SIGKILL)
        deadline = time.monotonic() + GOODBYE_S
        for actor in present:
            actor.ended.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._actors.clear()
            self._ending = False

    def tell(self, command: dict[str, Any]) -> None:
        """Send the forking process a command.

        Raises:
            UnusableError: it has ended, which only the learner's code can have caused.
        """
        host = self._host
        assert host is not None and host.stdin is not None
        try:
            with self._lock:
                host.stdin.write(json.dumps(command) + "\n")
                host.stdin.flush()
        except (OSError, ValueError):
            raise UnusableError(
                self.unusable or f"the process that runs it has ended; {self._last_words()}"
            ) from None

    def _last_words(self) -> str:
        said = (self.folder / "host.txt").read_text(errors="replace").strip()
        return f"it said: {said[-500:]}" if said else "it said nothing"

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with suppress(OSError, ValueError), link, link.makefile("rw", encoding="utf-8") as file:
            actor = self._actors.get(json.loads(file.readline())["actor"])
            for line in file:
                said = json.loads(line)
                if actor is None:
                    return
                boundary = Boundary(
                    actor.name, str(said.pop("at")), str(said.pop("message")), said,
                    time.monotonic(),
                )  # fmt: skip
                if boundary.at == "unusable":
                    self.unusable = str(said.get("error", ""))
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
        assert self._host is not None and self._host.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._host.stdout:
                told = json.loads(line)
                actor = self._actors.get(told["ended"])
                if actor is not None:
                    self._ended(actor, int(told["code"]))
        if not self._closed.is_set():
            self.unusable = self.unusable or "it ended the process that runs it"
        for actor in list(self._actors.values()):  # the host has gone, and all with it
            if actor.running:
                self._ended(actor, -signal.SIGKILL)

    def _ended(self, actor: Actor, code: int) -> None:
        actor.code = code
        # First the decision, then the news: whoever waits in end_all goes on when it hears of the
        # last end, and nobody may be started again after that.
        with self._lock, suppress(UnusableError):
            if actor.restarts > 0 and not self._ending and not actor.returned:
                self.start(actor.role, actor.arguments, actor.name, actor.restarts - 1)
        actor.ended.set()
