"""Extract from a node's log why it failed to start."""

import re
from pathlib import Path

from helpers.machine import keeper
from helpers.machine.keeper import log_lines

WHAT = "RabbitMQ node"
SERIOUS = re.compile(r"^\S+ \S+ \[(?:error|critical)\] <[\d.]+> ?(?P<words>.*)$")
TAKEN = ("eaddrinuse", "already in use", "seems to be in use", "in use by another")
MOST_LINES = 5


def explain(folder: Path, reason: str) -> str:
    """Return ``reason`` with the relevant lines of the node's log, and where the log is.

    Args:
        folder: the node's folder.
        reason: what is known already, without a full stop.
    """
    output = folder / "out"
    for path in (*sorted((folder / "log").glob("*.log")), output):
        matches = [SERIOUS.match(line) for line in log_lines(path)]
        # The first error is the cause; reports of its consequences follow.
        words = [match["words"] for match in matches if match and match["words"].strip(" =")]
        if words:
            return keeper.explain(WHAT, reason, path, words[:MOST_LINES])
    return keeper.explain(WHAT, reason, output, log_lines(output)[-MOST_LINES:])


def tells_of_taken_port(folder: Path) -> bool:
    """Return whether the node failed because a port was taken."""
    paths = (folder / "out", *(folder / "log").glob("*.log"))
    return any(sign in line for path in paths for line in log_lines(path) for sign in TAKEN)
