"""The RabbitMQ server of this machine, for private nodes that an experiment may kill."""

import functools
import re
from contextlib import suppress
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.ports import free_port_numbers
from helpers.machine.processes import clean_environment
from helpers.machine.run import run
from helpers.rabbitmq import disposable_node, server

NAME = "a killed node of RabbitMQ"
PACKAGE = ""  # a broker brings it; see helpers.broker.install
ASK_TIMEOUT_S = 30.0


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is."""
    reason = server.why_no_server()
    if reason is None:
        return None
    how = "`sudo apt-get install rabbitmq-server`, or `brew install rabbitmq`, brings one"
    return f"There is no node to kill on this machine: {reason}. {how}."


def version() -> str:
    """Return the version of the installed server, like "3.10.8", or "?" if it is unknown.

    It is read from the name of the server's folder. If that has none, as with a script that
    ``RABBIT_LAB_SERVER`` names, the ``rabbitmqctl`` beside it is asked once.

    Source: RabbitMQ documentation, "rabbitmqctl", command ``version``, which needs no node.
    """
    script = server.server_script()
    if script is None:
        return "?"
    found = re.search(r"rabbitmq[^/]*?[-/](\d+\.\d+\.\d+)", str(script.resolve()))
    return found[1] if found else _asked(script.with_name("rabbitmqctl"))


def describe() -> str:
    """Return which server it would be started from, for ``status`` and the doctor."""
    return f"the server of version {version()} is installed; a notebook starts its own node"


def is_running() -> bool:
    """Return False: each node runs for the time of one experiment."""
    return False


def stop() -> str | None:
    """Remove the nodes that killed processes left, and return how many."""
    left = disposable_node.sweep()
    return f"{len(left)} disposable node(s) that a killed process left behind" if left else None


@functools.cache
def _asked(program: Path) -> str:
    # Without an epmd, rabbitmqctl starts one, which stays and listens on all addresses. So it gets
    # a port that is free, and the epmd on that port is ended.
    (port,) = free_port_numbers(1)
    try:
        output = _run([program, "version"], port)
    except RabbitLabError:
        return "?"
    finally:
        with suppress(RabbitLabError):
            _run([server.epmd_program() or "epmd", "-kill"], port)
    found = re.fullmatch(r"\d+\.\d+\.\d+\S*", output)
    return found[0] if found else "?"


def _run(command: list[str | Path], epmd_port: int) -> str:
    own = {"ERL_EPMD_PORT": str(epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    environment = clean_environment() | own
    return run(command, timeout_s=ASK_TIMEOUT_S, environment=environment).stdout.strip()
