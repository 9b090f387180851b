"""A private service: one server process and its data in a folder of this checkout."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from helpers.errors import ServiceNotReadyError
from helpers.machine.keeper import Keeper, explain, log_lines
from helpers.machine.processes import clean_environment

MOST_LINES = 4


def switched_off() -> str | None:
    """Return why no service may be used, or None when they may."""
    if os.environ.get("RABBIT_LAB_SERVICES") == "off":
        return "RABBIT_LAB_SERVICES is off"
    return None


def find_program(name: str, *places: str) -> str | None:
    """Return the path of a program on the PATH or in one of the places, or None."""
    path = os.pathsep.join([clean_environment()["PATH"], *places])
    return shutil.which(name, path=path)


class PrivateService(Keeper):
    """A server process; its data are throw-away.

    Args:
        folder: where it is noted down; it is made by `lay_out` and deleted by `remove`.
        what: its name, for errors.
        politely: the signal that ends it without leaving things in the system.
    """

    def __init__(self, folder: Path, *, what: str, politely: int | None = None) -> None:
        super().__init__(folder, "server", politely=politely)
        self.what = what

    def lay_out(self, *, user: str | None = None) -> Path:
        """Make the folder anew and return the folder for the data.

        Args:
            user: the owner of the data; their folder is then outside of the checkout, which this
                user may not be able to read.
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
            user: the user it runs as.

        Raises:
            ServiceNotReadyError: it ended or was not ready in time; with the end of its log.
        """
        self.stop()
        data = Path(self.noted["data"])
        output = data.parent / "out" if user is None else data / "out"

        def error(reason: str) -> ServiceNotReadyError:
            lines = log_lines(output)[-MOST_LINES:]
            return ServiceNotReadyError(explain(self.what, reason, output, lines))

        environment = clean_environment() | {"LANG": "C.UTF-8"}
        self.run(
            "server", command, mark=mark, is_ready=is_ready, error=error, timeout_s=timeout_s,
            environment=environment, output=output, folder=data, user=user,
        )  # fmt: skip

    def remove(self) -> bool:
        """End the process and delete its data and its folder.

        Returns:
            Whether it was running.
        """
        data = self.noted.get("data")
        was_running = super().remove()
        if data:
            shutil.rmtree(data, ignore_errors=True)
        return was_running
