"""All processes of a submission: started, observed, killed, and restarted as by a supervisor."""

import itertools
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from labs.judge.actor import END_S, Actor, Boundary
from labs.judge.errors import UnusableError
from labs.judge.sandbox import process_tree
from labs.judge.sandbox.limits import Limits
from labs.judge.sandbox.start import start_host

HOLD_S = 5.0  # the longest that an actor is held at a boundary
SHOWN_CHARS = 500


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
        self.unusable = ""  # why the submission cannot be judged, known from the processes' ends

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
            output = self.folder / f"{key}.txt"
            actor = Actor(role, arguments, name=name, key=key, output=output, send=self.send)
            actor.restarts = restarts
            self._actors[key] = actor
        self.send({"name": key, "role": role, "args": actor.arguments, "output": str(actor.output)})
        return actor

    def actors(self) -> list[Actor]:
        """Return all actors since the last `end_all`, in the order of their start."""
        with self._lock:
            return list(self._actors.values())

    def why_unusable(self) -> str:
        """Return why the submission cannot be judged, or "" while it can."""
        if not self.unusable:
            self.unusable = next(filter(None, (a.unloadable for a in self.actors())), "")
        return self.unusable

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
                if boundary.at == "loaded":
                    actor.loaded = True
                elif boundary.at == "unusable":
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
