"""Run functions as child processes, so that they can really be killed."""

import inspect
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from helpers import broker
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.waits import wait_until

GOODBYE_S = 5.0
SHOWN_LINES = 20

PROGRAM = """\
import json, os, sys, threading
def _end_with_parent():
    sys.stdin.read()
    os._exit(3)
threading.Thread(target=_end_with_parent, daemon=True).start()
{source}
{name}(*json.loads(sys.argv[1]))
"""


class Process:
    """A child process that runs the source of a function; see ``in_process``."""

    def __init__(self, program: str, arguments: str, url: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", program, arguments],
            # A kernel has FORCE_COLOR=1, and since 3.13 Python colours its tracebacks by that: then
            # no line of one would begin with the name of the error.
            env={**os.environ, "AMQP_URL": url, "PYTHON_COLORS": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __repr__(self) -> str:
        code = self.returncode
        state = "running" if code is None else f"ended with {code}"
        return f"Process({state}, {len(self.lines)} lines)"

    @property
    def returncode(self) -> int | None:
        """Exit status, negative signal number, or None while it runs."""
        return self._process.poll()

    def wait_for_line(self, text: str, *, timeout_s: float) -> str:
        """Wait until the program has printed a line that contains ``text``, and return it.

        Raises:
            RabbitLabError: the program ended without printing it; the message has its last lines.
            WaitTimeoutError: not printed by the deadline; the message has its last lines.
        """

        def look() -> str | bool | None:
            ended = self.returncode is not None and not self._reader.is_alive()
            line = next((line for line in list(self.lines) if text in line), None)
            return line if line is not None else ended

        try:
            line = wait_until(look, timeout_s=timeout_s, what=f"the program to print {text!r}")
        except WaitTimeoutError as error:
            raise WaitTimeoutError(f"{error}; {self._said()}") from None
        if isinstance(line, str):
            return line
        raise RabbitLabError(
            f"the program ended with {self.returncode} before it printed {text!r}; {self._said()}"
        )

    def kill(self) -> None:
        """End it by SIGKILL, like a crash or the out-of-memory killer; no clean-up runs."""
        self._process.kill()
        self._process.wait(timeout=GOODBYE_S)
        self._reader.join(timeout=GOODBYE_S)

    def terminate(self) -> None:
        """Ask it to end by SIGTERM, as an orchestrator does before it kills."""
        self._process.terminate()

    def wait(self, *, timeout_s: float) -> int:
        """Wait for the end of the program and return its exit status.

        Raises:
            WaitTimeoutError: still running at the deadline.
        """
        try:
            code = self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise WaitTimeoutError(f"the program still runs after {timeout_s:g} s") from None
        self._reader.join(timeout=GOODBYE_S)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _said(self) -> str:
        last = "\n".join(self.lines[-SHOWN_LINES:])
        return f"it said:\n{last}" if last else "it said nothing"

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))


def in_process(
    function: Callable[..., object], *args: object, uses: Sequence[Callable[..., object]] = ()
) -> Process:
    """Run a self-contained function as a child process that can really die.

    The function's source is what runs, so it imports what it needs itself. The scratch vhost's
    URL is in its environment as ``AMQP_URL``. The child ends with the kernel.

    Args:
        function: a function written in a file or a cell, with all its imports inside.
        *args: its arguments; JSON must be able to hold them.
        uses: functions of the same kind that it calls; their sources are included.

    Returns:
        A context manager that kills the child when it ends.

    Raises:
        UsageError: the source is not available, or JSON cannot hold the arguments.
    """
    try:
        sources = [textwrap.dedent(inspect.getsource(used)) for used in (*uses, function)]
        arguments = json.dumps(args)
    except (OSError, TypeError) as error:
        raise UsageError(
            "in_process needs a function defined in a file or a cell, and plain arguments "
            f"(numbers, texts, lists): {error}"
        ) from error
    program = PROGRAM.format(source="\n".join(sources), name=function.__name__)
    return Process(program, arguments, broker.amqp_url())
