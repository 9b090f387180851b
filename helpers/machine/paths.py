"""Paths: the checkout, and the folder of everything that may be thrown away."""

import os
from pathlib import Path

from helpers.errors import BrokerError

ROOT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """Make and return the folder of brokers and services, whose content may be thrown away.

    Returns:
        ``.broker/`` at the root of the checkout, or the folder that ``RABBIT_LAB_HOME`` names.

    Raises:
        BrokerError: the folder cannot be made or written, for instance because root made it.
    """
    folder = Path(os.environ.get("RABBIT_LAB_HOME") or ROOT / ".broker").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK | os.X_OK) and not _holds_foreign_files(folder)
    except OSError as error:
        raise BrokerError(f"cannot make the folder {shown(folder)}: {error.strerror}") from None
    if not usable:
        raise BrokerError(
            f"the folder {shown(folder)} belongs, in part, to another user: remove it, or run"
            f' `sudo chown -R "$(id -u)" {shown(folder)}`'
        )
    return folder


def shown(path: Path) -> str:
    """Return ``path`` as a reader would type it: relative to the checkout if it is inside."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


def _holds_foreign_files(folder: Path) -> bool:
    # A single command run as root leaves files that the owner of the checkout cannot change.
    user = os.geteuid()
    return user != 0 and any(entry.stat().st_uid != user for entry in os.scandir(folder))
