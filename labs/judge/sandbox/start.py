"""Start the host process of a submission, in a sandbox when its limits ask for one."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers.machine.paths import ROOT
from labs.judge.sandbox import bubblewrap, process_tree
from labs.judge.sandbox.limits import Limits

# One for each host. They put "document-7" and its like into different shares of 2, 3 and 4.
HASH_SEEDS = ("1", "6")
END_S = 5.0  # for a killed process to end
SHOWN_CHARS = 500


class HostProcess:
    """A process of `labs.judge.sandbox.host`, which forks actors."""

    def __init__(
        self,
        number: int,
        submission: Path,
        address: str,
        *,
        folder: Path,
        limits: Limits,
        modules: Sequence[str],
    ) -> None:
        """Start it.

        Args:
            number: its hash seed and its working folder are those with this number.
            submission: the learner's file.
            address: path of the socket where the judge listens for boundaries.
            folder: scratch folder of the trial.
            limits: bounds of all processes of the submission.
            modules: what the host imports before it forks.
        """
        self._place = folder / f"place-{number}"
        self._place.mkdir()
        self._errors = folder / f"host-{number}.txt"
        self._ready = False
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "labs.judge.sandbox.host", str(submission), address]
        command += [limits.as_json(), *modules]
        if limits.sandboxed:
            command = bubblewrap.sandboxed(command, submission=submission, folder=folder)
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(HASH_SEEDS[number]),
                cwd=self._place,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def send(self, command: dict[str, Any]) -> None:
        """Send a command.

        Raises:
            OSError: the process has ended.
        """
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(json.dumps(command) + "\n")
                self._process.stdin.flush()
            except ValueError as error:  # closed
                raise BrokenPipeError from error

    def listen(self, forked: Callable[[str], Any], ended: Callable[[str, int], Any]) -> None:
        """Listen until this process ends.

        Args:
            forked: called with the name of each actor that was forked.
            ended: called with the name and the exit status of each actor that ended.
        """
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                event = json.loads(line)
                if "ready" in event:
                    self._ready = True
                elif "forked" in event:
                    forked(event["forked"])
                else:
                    ended(event["ended"], int(event["code"]))

    def why_ended(self) -> str:
        """Return a sentence about its end, for the learner or the instructor."""
        errors = self._errors.read_text(errors="replace").strip()[-SHOWN_CHARS:]
        last = f"its last errors: {errors}" if errors else "it printed no error"
        if self._ready:
            return f"it ended the process that runs it; {last}"
        return f"the process that runs it could not start; {last}"

    def end(self) -> None:
        """Kill it and all that it started."""
        process_tree.end(self.pid)

    def close(self) -> None:
        """Kill it and all that it started, and wait for its end."""
        self.end()
        self._process.wait(END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]


def environment(hash_seed: str) -> dict[str, str]:
    """Return the environment of a submission's processes, which has no credentials."""
    passed_on = ("PATH", "LANG", "LC_ALL", "TZ")
    return {
        **{name: os.environ[name] for name in passed_on if name in os.environ},
        "HOME": "/nonexistent",
        "PYTHONHASHSEED": hash_seed,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
    }
