"""A service of our own: one process in a folder of ours, found again by what is noted there."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers.errors import ServiceNotReadyError, WaitTimeoutError
from helpers.machine.paths import shown
from helpers.machine.processes import (
    Identity,
    clean_environment,
    identify,
    is_alive,
    kill_below,
    spawn,
)
from helpers.waits import wait_until

MOST_LINES = 4
MOST_CHARACTERS = 200


def switched_off() -> str | None:
    """Return why no service may be used, or None when they may."""
    if os.environ.get("RABBIT_LAB_SERVICES") == "off":
        return "RABBIT_LAB_SERVICES is off"
    return None


def find_program(name: str, *places: str) -> str | None:
    """Return a program on the PATH or in one of the places, or None."""
    path = os.pathsep.join([clean_environment()["PATH"], *places])
    return shutil.which(name, path=path)


class PrivateService:
    """A server process and what is needed to find it again; the data are throw-away.

    Args:
        folder: where it is noted down; it is made at the start and deleted at the end.
        what: its name, for errors.
        politely: the signal that it ends by without leaving things in the system.
    """

    def __init__(self, folder: Path, *, what: str, politely: int | None = None) -> None:
        self.folder = folder
        self.what = what
        self.politely = politely
        self.noted: dict[str, Any] = {}
        self._identity: Identity | None = None

    @property
    def pid(self) -> int | None:
        """Process id, or None while it is down."""
        return self._identity.pid if self._identity is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether the process that was started is alive."""
        return self._identity is not None and self._identity.process() is not None

    def load(self) -> "PrivateService":
        """Read what an earlier process noted down, and return itself."""
        try:
            noted = json.loads((self.folder / "state.json").read_text())
            identity = noted.pop("identity")
            self._identity = Identity(**identity) if identity else None
            self.noted = noted
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return self

    def lay_out(self, *, user: str | None = None) -> Path:
        """Make the folder anew and return the one for the data.

        Args:
            user: who must own the data; that folder is then outside of the checkout, which may
                be closed to this user.
        """
        self.remove()
        self.folder.mkdir(parents=True, mode=0o700)
        if user is None:
            data = self.folder / "data"
            data.mkdir(mode=0o700)
        else:
            data = Path(tempfile.mkdtemp(prefix=f"rabbit-lab-{self.what.lower()}-"))
            shutil.chown(data, user)
        self.note(data=str(data))
        return data

    def note(self, **values: Any) -> None:
        """Keep values for whoever finds this service later."""
        self.noted |= values
        identity = asdict(self._identity) if self._identity else None
        fresh = self.folder / "state.json.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # holds a password
        with os.fdopen(handle, "w") as file:
            json.dump(self.noted | {"identity": identity}, file)
        fresh.replace(self.folder / "state.json")

    def start(
        self,
        command: list[str],
        *,
        mark: str,
        is_ready: Callable[[], bool],
        timeout_s: float,
        user: str | None = None,
    ) -> None:
        """Start the process and wait until it is ready.

        Args:
            command: program and arguments.
            mark: an argument of this process that no other has.
            is_ready: whether it is.
            timeout_s: how long that may take, in seconds.
            user: whom it runs as.

        Raises:
            ServiceNotReadyError: it ended or was not ready in time; with its last words.
        """
        self.stop()
        data = Path(self.noted["data"])
        output = data.parent / "out" if user is None else data / "out"
        environment = clean_environment() | {"LANG": "C.UTF-8"}
        pid = spawn(command, environment=environment, folder=data, output=output, user=user)

        def attempt() -> bool:
            if self._identity is None:
                # The shell that starts it becomes it within an instant.
                self._identity = identify(pid, mark)
                if self._identity is not None:
                    self.note()
            if not is_alive(pid):
                raise ServiceNotReadyError(self._explain("it ended at once", output))
            return self._identity is not None and is_ready()

        try:
            wait_until(attempt, timeout_s=timeout_s, what=self.what, every_s=0.03)
        except WaitTimeoutError:
            reason = f"it was not ready within {timeout_s:g} s"
            raise ServiceNotReadyError(self._explain(reason, output)) from None
        finally:
            if self._identity is None:
                kill_below(pid)

    def stop(self) -> bool:
        """End the process.

        Returns:
            Whether it was running.
        """
        if self._identity is None:
            return False
        was_running = self._identity.kill(politely=self.politely)
        self._identity = None
        return was_running

    def remove(self) -> bool:
        """End the process and delete everything of it.

        Returns:
            Whether it was running.
        """
        was_running = self.stop()
        if data := self.noted.get("data"):
            shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.noted = {}
        return was_running

    def _explain(self, reason: str, output: Path) -> str:
        try:
            lines = [line for line in output.read_text(errors="replace").splitlines() if line]
        except OSError:
            lines = []
        told = "".join(f"\n  | {line.strip()[:MOST_CHARACTERS]}" for line in lines[-MOST_LINES:])
        return f"cannot start a private {self.what}: {reason}; its log is {shown(output)}{told}"
