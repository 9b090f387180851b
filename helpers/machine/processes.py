"""Start detached processes; stop only those that this checkout started."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from helpers.errors import WaitTimeoutError
from helpers.waits import wait_until

# The wall clock may be set between two runs, and the start time is derived from it.
CLOCK_STEP_S = 60.0


@dataclass(frozen=True)
class Identity:
    """Recognises a process that was started earlier; its id may belong to another one by now."""

    pid: int
    created_s: float
    mark: str

    def process(self) -> psutil.Process | None:
        """Return the process if it is alive and still the same."""
        try:
            process = psutil.Process(self.pid)
            same = (
                process.status() != psutil.STATUS_ZOMBIE
                and abs(process.create_time() - self.created_s) < CLOCK_STEP_S
                and self.mark in process.cmdline()
            )
        except psutil.Error:
            return None
        return process if same else None

    def kill(self, *, politely: int | None = None, timeout_s: float = 10.0) -> bool:
        """End the process with SIGKILL and wait until it is gone.

        Args:
            politely: a signal to try first, for a process that has to clear up.
            timeout_s: longest wait for the end after each signal, in seconds.

        Returns:
            Whether it was running.
        """
        process = self.process()
        if process is None:
            return False
        if politely is not None:
            with suppress(psutil.NoSuchProcess, WaitTimeoutError):
                process.send_signal(politely)
                _wait_for_end([self.pid], timeout_s=timeout_s)
                return True
        with suppress(psutil.NoSuchProcess):
            process.kill()
        _wait_for_end([self.pid], timeout_s=timeout_s)
        return True


def identify(pid: int, mark: str) -> Identity | None:
    """Return the identity of a living process whose command line holds ``mark``."""
    try:
        identity = Identity(pid, psutil.Process(pid).create_time(), mark)
    except psutil.Error:
        return None
    return identity if identity.process() else None


def find_below(pid: int, mark: str) -> Identity | None:
    """Return process ``pid`` or a descendant of it whose command line holds ``mark``."""
    try:
        top = psutil.Process(pid)
        candidates = [top, *top.children(recursive=True)]
    except psutil.Error:
        return None
    for process in candidates:
        if identity := identify(process.pid, mark):
            return identity
    return None


def is_alive(pid: int) -> bool:
    """Return whether process ``pid`` runs, or still holds its ports and files."""
    try:
        process = psutil.Process(pid)
        # A killed process counts as a zombie when its first thread has ended; its other threads
        # keep its ports open a little longer.
        return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    except psutil.Error:
        return False


def is_listening(identity: Identity) -> bool:
    """Return whether a process has an open listener."""
    process = identity.process()
    try:
        return process is not None and any(
            connection.status == psutil.CONN_LISTEN for connection in process.net_connections("tcp")
        )
    except psutil.Error:
        return False


def kill_below(pid: int) -> None:
    """End process ``pid``, which was just started, and its descendants."""
    try:
        top = psutil.Process(pid)
        victims = [*top.children(recursive=True), top]
    except psutil.Error:
        return
    for process in victims:
        with suppress(psutil.Error):
            process.kill()
    _wait_for_end([process.pid for process in victims], timeout_s=10.0)


def _wait_for_end(pids: list[int], *, timeout_s: float) -> None:
    # psutil's own wait lasts until the zombie is reaped, which may take seconds; its ports and
    # files are free before that.
    wait_until(lambda: not any(is_alive(pid) for pid in pids), timeout_s=timeout_s, what="its end")


def spawn(
    command: list[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: Path,
    user: str | None = None,
) -> int:
    """Start a process that outlives this one and does not get its Ctrl-C.

    Args:
        command: program and arguments.
        environment: its whole environment.
        folder: its working folder.
        output: file that its stdout and stderr are appended to.
        user: the user it runs as; only root may name another.

    Returns:
        The process id.
    """
    # A shell starts it in the background and ends at once, so that it is not a child of this
    # process: no zombie stays when it is killed, and nothing is printed when this process exits.
    script = 'output=$1; shift; "$@" >>"$output" 2>&1 </dev/null & echo $!'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(output), *command],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        check=True,
        timeout=30,
        text=True,
        **as_user(user),
    )
    return int(done.stdout)


def as_user(name: str | None) -> dict[str, Any]:
    """Return the arguments that make ``subprocess`` start a process as another user.

    Args:
        name: the user, who must exist; None changes nothing.
    """
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def clean_environment() -> dict[str, str]:
    """Return this process's environment without the variables of another RabbitMQ or Erlang."""
    foreign = ("RABBITMQ_", "ERL_", "NOTIFY_SOCKET", "NODENAME", "LOG_BASE", "MNESIA_BASE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    kept["PATH"] = ":".join(
        [kept.get("PATH", ""), "/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"]
    ).lstrip(":")
    return kept
