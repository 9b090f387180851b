"""Locate the checkout, its notebooks and labs, and the files of a private node."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from helpers.errors import BrokerError, NotWrittenError, UsageError

ROOT = Path(__file__).resolve().parents[2]


def notebooks(root: Path = ROOT) -> dict[int, Path]:
    """Return the notebooks ``qNN_*.ipynb`` by the number of their question, in its order.

    Args:
        root: the checkout.

    Raises:
        UsageError: two notebooks have the same number.
    """
    return _by_number((root / "notebooks").glob("q[0-9][0-9]_*.ipynb"))


def labs(root: Path = ROOT) -> dict[int, Path]:
    """Return the folders ``labNN_*`` of the labs by their number, in its order.

    Args:
        root: the checkout.

    Raises:
        UsageError: two folders have the same number.
    """
    return _by_number((root / "labs").glob("lab[0-9][0-9]_*"))


def _by_number(paths: Iterable[Path]) -> dict[int, Path]:
    numbered: dict[int, Path] = {}
    for path in sorted(paths):
        number = int(re.sub(r"\D+(\d\d)_.*", r"\1", path.name))
        if number in numbered:
            raise UsageError(f"{numbered[number].name} and {path.name} have the same number")
        numbered[number] = path
    return numbered


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


def work() -> Path:
    """Return the folder of everything that a learner writes, and make it.

    Returns:
        ``work/`` at the root of the checkout, or what ``RABBIT_LAB_WORK`` names.

    Raises:
        NotWrittenError: it cannot be made.
    """
    folder = Path(os.environ.get("RABBIT_LAB_WORK") or ROOT / "work")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(
            f"cannot make the folder {shown(folder)}: {error.strerror}; let RABBIT_LAB_WORK name"
            " one where what you write is kept"
        ) from None
    return folder


def for_figures() -> dict[str, str]:
    """Return the variable that gives Matplotlib a folder where this user has no home to write to.

    Without one it warns in the output of the cell that imports it.
    """
    with suppress(RuntimeError):  # of a user who has no home at all
        if "MPLCONFIGDIR" in os.environ or os.access(Path.home(), os.W_OK | os.X_OK):
            return {}
    return {"MPLCONFIGDIR": str(home() / "matplotlib")}


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
