"""All processes of a submission: started, observed, killed, and restarted as by a supervisor."""

import itertools
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from labs.judge.actor import END_S, Actor, Boundary
from labs.judge.errors import UnusableError
from labs.judge.ledger import Ledger
from labs.judge.sandbox import process_tree
from labs.judge.sandbox.limits import Limits
from labs.judge.sandbox.start import HASH_SEEDS, HostProcess

HOLD_S = 5.0  # the longest that an actor is held at a boundary


class ActorPool:
    """All actors of a trial, the host processes that fork them, and the socket they report to.

    Two hosts differ in their hash seed and working folder, as two machines would. Actors are forked
    from one and the other in turn, and one that is restarted from the one that it was not in.
    """

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
        self._hosts: list[HostProcess] = []
        self._next_host = 0
        self.ledger = Ledger()
        self._closed = threading.Event()
        self.unusable = ""  # why the submission cannot be judged, known from the processes' ends

    def open(self) -> None:
        """Start the host processes, and listen for the actors that they will fork."""
        address = str(self.folder / "judge.sock")
        self._listener.bind(address)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        for number in range(len(HASH_SEEDS)):
            host = HostProcess(
                number,
                self._submission,
                address,
                folder=self.folder,
                limits=self._limits,
                modules=self._modules,
            )
            self._hosts.append(host)
            threading.Thread(target=self._listen_to, args=(host,), daemon=True).start()
        threading.Thread(target=self._limit_processes, daemon=True).start()

    def close(self) -> None:
        """End all actors and the host processes."""
        self._ending = True
        self._closed.set()
        for host in self._hosts:
            host.close()
        self._listener.close()
        self.ledger.close()

    def start(
        self,
        role: str,
        arguments: Sequence[Any],
        name: str,
        restarts: int,
        *,
        host: int | None = None,
    ) -> Actor:
        """Fork an actor from a host, by default from the next; see `Trial.start`."""
        with self._lock:
            if host is None:
                host, self._next_host = self._next_host, 1 - self._next_host
            key = f"{next(self._keys)}-{role}"
            output = self.folder / f"{key}.txt"
            actor = Actor(
                role,
                arguments,
                name=name,
                key=key,
                output=output,
                host=host,
                send=self._send_to(host),
            )
            actor.restarts = restarts
            self._actors[key] = actor
        actor.send({"role": role, "args": actor.arguments, "output": str(actor.output)})
        return actor

    def actors(self) -> list[Actor]:
        """Return all actors since the last `end_all`, in the order of their start."""
        with self._lock:
            return list(self._actors.values())

    def why_unusable(self) -> str:
        """Return why the submission cannot be judged, or "" while it can."""
        self._give_up(self.ledger.problem())
        self._give_up(next(filter(None, (a.unloadable for a in self.actors())), ""))
        return self.unusable

    def _give_up(self, reason: str) -> None:
        """Note why the submission cannot be judged; the first reason stays, and "" is none."""
        with self._lock:
            self.unusable = self.unusable or reason

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
            self._ending, self._next_host = False, 0

    def _send_to(self, number: int) -> Callable[[dict[str, Any]], None]:
        """Return a function that sends a command to a host.

        It raises UnusableError if the host has ended, which only the learner's code, or a sandbox
        that cannot start, can have caused.
        """
        host = self._hosts[number]

        def send(command: dict[str, Any]) -> None:
            try:
                host.send(command)
            except OSError:
                raise UnusableError(self.unusable or host.why_ended()) from None

        return send

    def _limit_processes(self) -> None:
        """End a submission that starts too many processes."""
        most = self._limits.processes
        if process_tree.grow_beyond([host.pid for host in self._hosts], most, self._closed):
            self._give_up(f"it had more than {most} processes at once")
            for host in self._hosts:
                host.end()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve_to_end, args=(link,), daemon=True).start()

    def _serve_to_end(self, link: socket.socket) -> None:
        try:
            self._serve(link)
        finally:
            self.ledger.gone(link)

    def _serve(self, link: socket.socket) -> None:
        """Answer the boundaries of one thread of an actor, in the order in which they come."""
        with suppress(OSError, ValueError), link, link.makefile("rw", encoding="utf-8") as file:
            actor = self._actors.get(json.loads(file.readline())["actor"])
            for line in file:
                details = json.loads(line)
                if actor is None:
                    return
                at, message = str(details.pop("at")), str(details.pop("message"))
                # A child that was not forked does not know what was delivered to its parent.
                if at.endswith(("effect", "commit")):
                    message = message or actor.delivered
                boundary = Boundary(actor.name, at, message, details, time.monotonic())
                late, pragma = bool(details.get("late")), str(details.get("pragma", ""))
                self._give_up(self.ledger.note(link, at, late=late, pragma=pragma))
                if at == "loaded":
                    actor.loaded = True
                elif at == "delivery":
                    actor.delivered = message
                elif at == "unusable":
                    self._give_up(str(details.get("error", "")))
                order = self._arrived(actor, boundary)
                if order == "kill":
                    actor.kill()
                    return
                if isinstance(order, threading.Event):
                    order.wait(HOLD_S)
                    order = "go"
                file.write(f"{order}\n")
                file.flush()

    def _listen_to(self, host: HostProcess) -> None:
        """Note the end of each actor that a host reports, and at last the end of the host."""

        def forked(key: str) -> None:
            if (actor := self._actors.get(key)) is not None:
                actor.forked_s = time.monotonic()

        def ended(key: str, code: int) -> None:
            if (actor := self._actors.get(key)) is not None:
                self._ended(actor, code)

        host.listen(forked, ended)
        if not self._closed.is_set():
            self._give_up(host.why_ended())
        for actor in list(self._actors.values()):  # all of its actors end with the host
            if actor.running and self._hosts[actor.host] is host:
                self._ended(actor, -signal.SIGKILL)

    def _ended(self, actor: Actor, code: int) -> None:
        actor.code = code
        # Decide about a restart before setting `ended`: `end_all` returns after the last one, and
        # no actor may start after that.
        with self._lock, suppress(UnusableError):
            if actor.restarts > 0 and not self._ending and not actor.returned:
                self.start(
                    actor.role, actor.arguments, actor.name, actor.restarts - 1, host=1 - actor.host
                )
        actor.ended.set()
