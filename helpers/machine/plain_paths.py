"""Give a folder a path of plain characters, for programs that cannot read others.

RabbitMQ passes the path of its data to ``df`` without quotes: with a blank or an umlaut in it, the
free disk space is not a number, and Prometheus refuses all metrics of the node.

Source: rabbitmq/rabbitmq-server#8740.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
PLACES = (Path("/var/tmp"), Path("/tmp"))  # not TMPDIR, which may differ from process to process


def plain_path(folder: Path) -> Path:
    """Return a path of plain characters that leads to a folder.

    Args:
        folder: an existing folder, as an absolute path.

    Returns:
        The folder itself when its path is plain; otherwise a link to it in a folder of this user
        below /var/tmp or /tmp. If none can be made there, the folder itself.
    """
    if PLAIN.fullmatch(str(folder)):
        return folder
    for place in PLACES:
        try:
            links = _own_folder(place)
            _sweep(links)
            return _link(links, folder)
        except OSError:
            continue
    return folder


def drop_plain_path(folder: Path) -> None:
    """Remove the links to a folder that `plain_path` made."""
    for place in PLACES:
        link = _links(place) / _name(folder)
        with suppress(OSError):
            if link.readlink() == folder:
                link.unlink()


def _links(place: Path) -> Path:
    return place / f"rabbit-lab-{os.geteuid()}"


def _name(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _own_folder(place: Path) -> Path:
    # Everybody may write there: a folder of another user could lead anywhere.
    links = _links(place)
    links.mkdir(mode=0o700, exist_ok=True)
    seen = links.lstat()
    if seen.st_uid != os.geteuid() or seen.st_mode & 0o022 or links.is_symlink():
        raise PermissionError(f"{links} is not this user's own")
    return links


def _sweep(links: Path) -> None:
    for link in links.iterdir():
        if link.is_symlink() and not link.exists():  # its folder was deleted or moved
            link.unlink(missing_ok=True)


def _link(links: Path, folder: Path) -> Path:
    link = links / _name(folder)
    if not link.is_symlink() or link.readlink() != folder:
        fresh = links / f"{link.name}.{os.getpid()}"
        fresh.symlink_to(folder)
        fresh.replace(link)
    return link
