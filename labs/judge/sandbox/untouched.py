"""Find out whether the files that judge a submission have changed while it ran.

Without bubblewrap a submission runs as the one who checks it, and can write where that one can. It
is not stopped then, but found. The files are left as they are: the change may be an author's own.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from helpers.machine.paths import ROOT

TREES = ("helpers", "labs", "notebooks")
SHOWN = 3


def digests() -> dict[Path, bytes]:
    """Return a digest of each file with code that may take part in a check."""
    return {
        path: hashlib.blake2b(path.read_bytes()).digest()
        for tree in TREES
        for path in (ROOT / tree).rglob("*.py")
    }


def changes(before: Mapping[Path, bytes]) -> str:
    """Return a sentence about the files that are no longer as they were, or ""."""
    after = digests()
    changed = sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )
    if not changed:
        return ""
    names = ", ".join(str(path.relative_to(ROOT)) for path in changed[:SHOWN])
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return (
        f"files that judge it changed while it ran, so no verdict can be trusted: {names}{more}; "
        "bring them back, and check again"
    )
