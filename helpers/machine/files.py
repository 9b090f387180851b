"""Write files so that a full disk loses nothing, and say in one sentence that it is full."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.errors import NotWrittenError
from helpers.machine.paths import shown

# What a user can do something about. Others are errors in the code, whose traceback is needed.
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space, and try again",
    errno.EDQUOT: "your quota of the disk is used up: free some space, and try again",
    errno.EROFS: "it is on a disk that can only be read",
    errno.EACCES: "you are not allowed to",
    errno.EPERM: "you are not allowed to",
}


def why_not_written(error: OSError, path: Path | None = None) -> str:
    """Return in a sentence why a file could not be written; "" for errors of another kind.

    Args:
        error: what the attempt raised.
        path: the file, where the error does not name it.
    """
    if "temporary directory" in (error.strerror or ""):  # of tempfile, which tried several
        return f"{error.strerror}: the disk is full, or you may not write there"
    if error.errno not in REMEDIES:
        return ""
    name = shown(Path(os.fsdecode(error.filename))) if error.filename else ""
    name = shown(path) if path else name
    # Only who tried it knows whether it was a write: a file may also be one that nobody may read.
    unknown = path is None and error.errno in (errno.EACCES, errno.EPERM)
    verb = "read or write" if unknown else "write"
    return f"cannot {verb} {name or 'a file'}: {REMEDIES[error.errno]}"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file that is written in this block when it cannot be.

    Args:
        path: the file or folder that the reader knows.

    Raises:
        NotWrittenError: the disk is full, or the user may not write there.
    """
    try:
        yield
    except OSError as error:
        if sentence := why_not_written(error, path):
            raise NotWrittenError(sentence) from None
        raise


def write(path: Path, content: str | bytes) -> None:
    """Write a file at once: a reader, a full disk or a kill never leaves half of it.

    Args:
        path: the file; a link to one is followed.
        content: its new content; text is encoded as UTF-8.

    Raises:
        NotWrittenError: it stays as it was.
    """
    with writing(path):
        target = path.resolve()
        fresh = target.with_name(f".{target.name}.new")
        try:
            fresh.write_bytes(content.encode() if isinstance(content, str) else content)
            if target.exists():
                shutil.copymode(target, fresh)
            fresh.replace(target)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


def append(path: Path, content: str) -> None:
    """Add text to the end of a file, all of it or nothing.

    Args:
        path: the file, made if it is absent.
        content: the text.

    Raises:
        NotWrittenError: it stays as it was.
    """
    with writing(path), path.open("ab", buffering=0) as handle:
        before, added = os.fstat(handle.fileno()).st_size, content.encode()
        try:
            while added:
                added = added[handle.write(added) :]
        except OSError:
            with suppress(OSError):  # a device cannot be cut
                os.truncate(handle.fileno(), before)
            raise


def lacks_room(folder: Path, needed_bytes: int) -> str:
    """Return in a sentence that a folder's disk has less than the needed room; else "".

    Args:
        folder: an existing folder.
        needed_bytes: what has to be free.
    """
    free = shutil.disk_usage(folder).free
    if free >= needed_bytes:
        return ""
    left, needed = free / 1e6, needed_bytes / 1e6
    return (
        f"the disk of {shown(folder)} is full ({left:.1f} MB left, {needed:.0f} MB needed): free"
        " some space, or let TMPDIR name a folder with room"
    )
