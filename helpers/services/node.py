"""A RabbitMQ server of this machine, for nodes of our own that an experiment may kill."""

import re

from helpers.broker import server

NAME = "a killed node of RabbitMQ"


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is."""
    reason = server.why_no_server()
    if reason is None:
        return None
    how = "`sudo apt-get install rabbitmq-server`, or `brew install rabbitmq`, brings one"
    return f"There is no node to kill on this machine: {reason}. {how}."


def version() -> str:
    """Return the version of the installed server, like "3.10.8", or "?" where no path tells it."""
    script = server.server_script()
    found = re.search(r"rabbitmq[^/]*?[-/](\d+\.\d+\.\d+)", str(script and script.resolve()))
    return found[1] if found else "?"
