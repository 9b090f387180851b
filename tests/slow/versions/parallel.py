"""Run several generations at the same time, each in its own process."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from helpers.machine.paths import ROOT


@dataclass(frozen=True)
class Result:
    """The end of one generation's process."""

    status: int
    rows: tuple[str, ...]  # of its table
    seconds: float


class Processes:
    """The processes of generations, and their labelled output."""

    def __init__(self, options: Sequence[str]) -> None:
        """Prepare to run generations.

        Args:
            options: arguments of ``make test-versions`` that each process gets.
        """
        self.options = options
        self.running: set[subprocess.Popen[str]] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, names: Sequence[str], jobs: int) -> list[Result]:
        """Run generations; Ctrl-C ends all of them and waits until they have cleaned up.

        Args:
            names: generations such as "4.0".
            jobs: how many run at the same time.

        Returns:
            A result for each generation.
        """
        with ThreadPoolExecutor(jobs) as pool:
            try:
                return list(pool.map(self._run_one, names))
            except BaseException:
                self._interrupt()
                raise

    def _run_one(self, name: str) -> Result:
        began_s, rows = time.monotonic(), []
        command = [sys.executable, "-m", "helpers", "test-versions", name, *self.options]
        with self.lock:
            if self.stopped:
                return Result(130, (), 0.0)
            process = subprocess.Popen(
                command, cwd=ROOT, text=True, errors="replace",
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches it once, through _interrupt
            )  # fmt: skip
            self.running.add(process)
        with process:
            for line in process.stdout or ():
                if line.startswith("|"):
                    rows.append(line.rstrip())
                elif line.strip():
                    print(f"[{name}] {line.rstrip()}", flush=True)
        with self.lock:
            self.running.remove(process)
        seconds = time.monotonic() - began_s
        print(f"[{name}] ended after {seconds:.0f} s", flush=True)
        return Result(process.returncode, tuple(rows), seconds)

    def _interrupt(self) -> None:
        with self.lock:
            self.stopped = True
            # Python may lose a SIGINT while it imports; SIGTERM ends it at any moment.
            for process in self.running:
                process.terminate()
