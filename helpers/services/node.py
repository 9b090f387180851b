"""A RabbitMQ server of this machine, for nodes of our own that an experiment may kill."""

import functools
import re
import subprocess
from pathlib import Path

from helpers.broker import server
from helpers.broker.processes import clean_environment

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
    try:
        done = subprocess.run(
            [str(program), "version"],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    found = re.fullmatch(r"\d+\.\d+\.\d+\S*", done.stdout.strip())
    return found[0] if found else "?"
