"""The words of a node's log that tell why it did not start."""

import re
from pathlib import Path

from helpers.machine.paths import shown

SERIOUS = re.compile(r"^\S+ \S+ \[(?:error|critical)\] <[\d.]+> ?(?P<words>.*)$")
TAKEN = ("eaddrinuse", "already in use", "seems to be in use", "in use by another")
MOST_LINES = 5
MOST_CHARACTERS = 160


def explain(folder: Path, reason: str) -> str:
    """Return ``reason`` with the lines of the node's log that matter, and where the log is.

    Args:
        folder: the node's folder.
        reason: what is known already, without a full stop.
    """
    output = folder / "out"
    for path in (*sorted((folder / "log").glob("*.log")), output):
        matches = [SERIOUS.match(line) for line in _read(path)]
        # The first error is the cause; reports of what it brought down follow.
        words = [match["words"] for match in matches if match and match["words"].strip(" =")]
        if words:
            return _sentence(reason, path, words[:MOST_LINES])
    return _sentence(reason, output, _read(output)[-MOST_LINES:])


def tells_of_taken_port(folder: Path) -> bool:
    """Return whether the node failed because a port was taken."""
    paths = (folder / "out", *(folder / "log").glob("*.log"))
    return any(sign in line for path in paths for line in _read(path) for sign in TAKEN)


def _sentence(reason: str, path: Path, words: list[str]) -> str:
    told = "".join(f"\n  | {line[:MOST_CHARACTERS]}" for line in words)
    return f"cannot start a private RabbitMQ node: {reason}; its log is {shown(path)}{told}"


def _read(path: Path) -> list[str]:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip(" #=\t")]
