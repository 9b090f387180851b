"""Locks that the kernel of the operating system drops when their holder dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import BrokerError, BrokerNotReadyError, WaitTimeoutError
from helpers.machine.paths import shown
from helpers.waits import wait_until


@contextmanager
def exclusive(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock file ``path`` alone, so that two processes do not start two nodes.

    Args:
        path: the lock file; it is made and stays.
        timeout_s: how long to wait for another holder, in seconds.

    Raises:
        BrokerNotReadyError: another process held it all the time.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            wait_until(
                lambda: _try_lock(handle), timeout_s=timeout_s, what="the lock", every_s=0.05
            )
        except WaitTimeoutError:
            raise BrokerNotReadyError(
                f"another process has been starting or stopping the broker for {timeout_s:g} s and"
                f" still holds {shown(path)}"
            ) from None
        yield
    finally:
        os.close(handle)


def take(path: Path) -> int | None:
    """Lock ``path`` if nobody holds it, and return the handle that keeps the lock.

    Args:
        path: an existing lease file, or a new one.

    Returns:
        A file descriptor: the lock lasts until it is closed or this process dies. None when
        somebody else holds the lock or the file has gone meanwhile.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    # Between open and lock another process may have swept the file: then we hold a lock on
    # something that no longer has a name, and nobody else would see it.
    if _try_lock(handle) and _is_named(handle, path):
        return handle
    os.close(handle)
    return None


def read(path: Path) -> dict[str, str]:
    """Return what is noted in a lease file; an empty dictionary where that cannot be read."""
    try:
        noted = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def drop(path: Path, handle: int) -> None:
    """Remove a lease file that we hold, and give its lock back."""
    path.unlink(missing_ok=True)
    os.close(handle)


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the lease file ``path`` so that `abandoned` does not give it; it is removed at the end.

    Raises:
        BrokerError: another process holds it.
    """
    handle = take(path)
    if handle is None:
        raise BrokerError(f"another process removes {path.name}: try again")
    try:
        yield
    finally:
        drop(path, handle)


def abandoned(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the lease files whose holders have died; each is removed after its turn."""
    for path in sorted(folder.glob(pattern)):
        handle = take(path)
        if handle is not None:
            yield path
            drop(path, handle)


def in_use(path: Path) -> bool:
    """Return whether a living process holds the lease file ``path``."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_named(handle: int, path: Path) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), named)
