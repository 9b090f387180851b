"""A RabbitMQ server of this machine, for nodes of our own that an experiment may kill."""

import functools
import re
import subprocess
from contextlib import suppress
from pathlib import Path

from helpers.machine.ports import free_port_numbers
from helpers.machine.processes import clean_environment
from helpers.rabbitmq import server

NAME = "a killed node of RabbitMQ"
ASK_TIMEOUT_S = 30.0


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is."""
    reason = server.why_no_server()
    if reason is None:
        return None
    how = "`sudo apt-get install rabbitmq-server`, or `brew install rabbitmq`, brings one"
    return f"There is no node to kill on this machine: {reason}. {how}."


def version() -> str:
    """Return the version of the installed server, like "3.10.8", or "?" where nothing tells it.

    The folder of the server has it in its name; where that is not so, as with a script of your
    own in ``RABBIT_LAB_SERVER``, the ``rabbitmqctl`` beside it is asked once.

    Source: RabbitMQ documentation, "rabbitmqctl", command ``version``, which needs no node.
    """
    script = server.server_script()
    if script is None:
        return "?"
    found = re.search(r"rabbitmq[^/]*?[-/](\d+\.\d+\.\d+)", str(script.resolve()))
    return found[1] if found else _asked(script.with_name("rabbitmqctl"))


@functools.cache
def _asked(program: Path) -> str:
    # It starts an epmd where it finds none, which would stay and listen on all addresses; so it
    # gets a port of its own, and that epmd is told to end.
    (port,) = free_port_numbers(1)
    try:
        told = _run([program, "version"], port)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    finally:
        with suppress(OSError, subprocess.TimeoutExpired):
            _run([server.epmd_program() or "epmd", "-kill"], port)
    found = re.fullmatch(r"\d+\.\d+\.\d+\S*", told)
    return found[0] if found else "?"


def _run(command: list[str | Path], epmd_port: int) -> str:
    environment = {"ERL_EPMD_PORT": str(epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    done = subprocess.run(
        command,
        env=clean_environment() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ASK_TIMEOUT_S,
        check=False,
    )
    return done.stdout.strip()
