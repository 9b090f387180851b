"""Where the checkout is and where a private node keeps its files."""

import os
from pathlib import Path

from helpers.errors import BrokerError

ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """Return the folder of everything about the broker that is throw-away, and make it.

    Returns:
        ``.broker/`` at the root of the checkout, or what ``RABBIT_LAB_HOME`` names.

    Raises:
        BrokerError: the folder cannot be made or written, for instance because root made it.
    """
    folder = Path(os.environ.get("RABBIT_LAB_HOME") or ROOT / ".broker").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ours = os.access(folder, os.W_OK | os.X_OK) and not _holds_foreign_files(folder)
    except OSError as error:
        raise BrokerError(f"cannot make the folder {shown(folder)}: {error.strerror}") from None
    if not ours:
        raise BrokerError(
            f"the folder {shown(folder)} belongs, in part, to another user: remove it, or run"
            f' `sudo chown -R "$(id -u)" {shown(folder)}`'
        )
    return folder


def work() -> Path:
    """Return the folder of everything that a learner writes, and make it.

    Returns:
        ``work/`` at the root of the checkout, or what ``RABBIT_LAB_WORK`` names.
    """
    folder = Path(os.environ.get("RABBIT_LAB_WORK") or ROOT / "work")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def shown(path: Path) -> str:
    """Return ``path`` as a reader would type it: relative to the checkout where that is shorter."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


def _holds_foreign_files(folder: Path) -> bool:
    # One command run as root leaves files behind that its owner can no longer use.
    user = os.geteuid()
    return user != 0 and any(entry.stat().st_uid != user for entry in os.scandir(folder))
