"""Run a command with a time limit."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.processes import as_user


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    error: type[RabbitLabError] = RabbitLabError,
    name: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command without standard input and return its exit status and output.

    Args:
        command: program and arguments.
        timeout_s: how long it may take, in seconds; then it is killed.
        error: the class of the exception that is raised.
        name: how its message names the command; "" means the whole command line.
        environment: all of its environment; None means that of this process.
        folder: its working folder; None means that of this process.
        user: the user it runs as; only root may name another.

    Raises:
        RabbitLabError: of class ``error``: the command cannot be started or takes too long.
    """
    name = name or f"`{' '.join(map(str, command))}`"
    try:
        return subprocess.run(
            command,
            env=None if environment is None else dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            **as_user(user),
        )
    except OSError as failure:
        raise error(f"{name} cannot be run: {failure.strerror}") from None
    except subprocess.TimeoutExpired:
        raise error(f"{name} took more than {timeout_s:g} s") from None
