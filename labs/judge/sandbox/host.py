"""Run a learner's code: ``python -m labs.judge.sandbox.host FILE ADDRESS LIMITS [MODULE …]``.

It imports the slow modules once and forks for each function that the judge calls, so that a process
costs milliseconds and can be killed at every crash point. It reads commands as lines of JSON from
standard input, reports ended processes on standard output, and kills its children when its input
ends.
"""

import ctypes
import importlib
import importlib.util
import json
import multiprocessing.forkserver  # imported once for all actors
import os
import resource
import select
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from labs.judge.sandbox import hooks, line, store
from labs.judge.sandbox.limits import MIB, Limits

SITE = Path(__file__).parent / "site"
UNUSABLE = 70  # exit status
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


class Host:
    """The process that forks; it has one thread and runs no code of the learner."""

    def __init__(self, submission: Path, address: str) -> None:
        self.submission, self.address = submission, address
        self.pids: dict[str, int] = {}
        self.commands, self.events = os.dup(0), os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, 1)
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Carry out commands until the input ends."""
        self.report({"ready": True})
        pending = b""
        while True:
            ready, _, _ = select.select([self.commands, self.wake_read], [], [])
            if self.wake_read in ready:
                os.read(self.wake_read, 4096)
                self.reap()
            if self.commands in ready:
                data = os.read(self.commands, 65536)
                if not data:
                    break
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
        for pid in self.pids.values():
            _kill(pid)

    def obey(self, command: dict[str, Any]) -> None:
        """Carry out one command: start a function in a new process, or send a signal."""
        if "role" in command:
            pid = os.fork()
            if not pid:
                self.become(command)
            self.pids[command["name"]] = pid
            self.report({"forked": command["name"]})
        elif command["name"] in self.pids:
            pid, number = self.pids[command["name"]], command["signal"]
            _kill(pid) if number == signal.SIGKILL else _signal(pid, number)

    def reap(self) -> None:
        """Report each child that ended; reap orphans silently."""
        names = {pid: name for name, pid in self.pids.items()}
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in names:
                    _signal(-pid, signal.SIGKILL)  # end what it started, too
                    del self.pids[names[pid]]
                    self.report({"ended": names[pid], "code": os.waitstatus_to_exitcode(status)})

    def report(self, event: dict[str, Any]) -> None:
        """Report an event to the judge."""
        os.write(self.events, (json.dumps(event) + "\n").encode())

    def become(self, command: dict[str, Any]) -> None:
        """Run the learner's function in this forked process, then exit."""
        code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in (self.commands, self.events, self.wake_read, self.wake_write):
                os.close(descriptor)
            output = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            line.begin(command["name"], self.address, self.submission)
            _prepare_children()
            code = play(self.submission, command["role"], command["args"])
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)


def _prepare_children() -> None:
    """Have each Python that this process starts load the hooks, and know nothing of this module."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(SITE), os.environ["PYTHONPATH"]])
    sys.modules[__spec__.name if __spec__ else "host"] = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    # A fork server imports the program that it belongs to, so that its children start quickly.
    multiprocessing.set_forkserver_preload(["submission"])


def play(submission: Path, role: str, arguments: list[Any]) -> int:
    """Load the learner's file and call one of its functions.

    Returns:
        The exit status: 0 when the function returned, 1 when it raised, 70 when it is missing.
    """
    sys.path.insert(0, str(submission.parent))
    sys.argv = [str(submission)]
    try:
        spec = importlib.util.spec_from_file_location("submission", submission)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["submission"] = module
        spec.loader.exec_module(module)
        function = getattr(module, role, None)
        if not callable(function):
            raise AttributeError(f"it has no function {role}()")
    except BaseException as error:
        traceback.print_exc()
        line.ask("unusable", error=_in_words(error))
        return UNUSABLE
    line.ask("loaded")
    try:
        result = function(*arguments)
    except SystemExit as end:
        line.ask("raised", error=_in_words(end))
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException as error:
        traceback.print_exc()
        line.ask("raised", error=_in_words(error))
        return 1
    line.ask("returned", result=_plain(result))
    return 0


def _in_words(error: BaseException) -> str:
    where = ""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    for frame in traceback.extract_tb(error.__traceback__):
        judges = Path(frame.filename).parent == Path(__file__).parent
        if not judges and "site-packages" not in frame.filename:
            where = f" (line {frame.lineno})" if Path(frame.filename).stem else ""
    if isinstance(error, AttributeError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = (
            f"MemoryError: a process may use {resource.getrlimit(resource.RLIMIT_AS)[0] // MIB} MiB"
        )
    else:
        text = f"{type(error).__name__}: {error}"
    return text[:300] + where


def _plain(result: Any) -> Any:
    try:
        json.dumps(result)
    except (TypeError, ValueError):
        return None
    return result


def _kill(pid: int) -> None:
    # The group first, to end what the process started; a process just forked has no group yet.
    _signal(-pid, signal.SIGKILL)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _adopt_orphans() -> None:
    """Become the parent of a learner's orphans, so that they can be counted and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(argv: list[str]) -> int:
    """Serve one submission."""
    submission, address, limits, *modules = argv
    for module in modules:
        importlib.import_module(module)
    hooks.install()
    store.install()
    Limits(**json.loads(limits)).apply()
    _adopt_orphans()
    Host(Path(submission), address).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
