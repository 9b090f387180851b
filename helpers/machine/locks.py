"""Locks that the kernel of the operating system drops when their holder dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from helpers.errors import BrokerError, BrokerNotReadyError
from helpers.machine.paths import shown

POLL_S = 0.05


@contextmanager
def exclusive(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock on the file ``path``; another process that wants it waits.

    Args:
        path: the lock file; it is made if necessary and stays.
        timeout_s: how long to wait for another holder, in seconds.

    Raises:
        BrokerNotReadyError: another process holds it all the time.

    Source: filelock, flock(2): the kernel drops the lock when the process ends.
    """
    lock = FileLock(path, timeout=timeout_s, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(poll_interval=POLL_S)
    except Timeout:
        raise BrokerNotReadyError(
            f"another process has been starting or stopping the broker for {timeout_s:g} s and"
            f" still holds {shown(path)}"
        ) from None
    try:
        yield
    finally:
        lock.release()


def take(path: Path) -> int | None:
    """Lock ``path`` if it is free, and return the handle that keeps the lock.

    Args:
        path: an existing lease file, or a new one.

    Returns:
        A file descriptor: the lock lasts until it is closed or this process dies. None when
        another process holds the lock, or has removed the file meanwhile.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    # Another process may have removed the file between open and lock. A lock on a file without a
    # name protects nothing, since every other process makes a new file.
    if _try_lock(handle) and _is_named(handle, path):
        return handle
    os.close(handle)
    return None


def read(path: Path) -> dict[str, str]:
    """Return the content of a lease file; an empty dictionary if it cannot be read."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def drop(path: Path, handle: int) -> None:
    """Remove a lease file that this process holds, and release its lock."""
    path.unlink(missing_ok=True)
    os.close(handle)


@contextmanager
def lease(path: Path) -> Iterator[None]:
    """Hold the lease file ``path`` so that `abandoned` does not yield it; remove it at the end.

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
    """Yield the lease files of dead processes; remove each afterwards."""
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
