"""What a learner's processes may use, and the walls around them where this machine has them."""

import json
import os
import resource
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.machine.paths import ROOT

MIB = 1024 * 1024
# What a Python program needs of the system: programs, libraries, names and certificates.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives", "/etc/hosts",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd", "/etc/ssl",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Bounds for one check of one submission.

    ``seconds`` is the wall time of the whole check; the other limits hold for each process of the
    learner: memory, CPU time, and the size of a file it writes, its output among them.
    """

    seconds: float = 60.0
    memory_mib: int = 1024
    cpu_s: int = 60
    file_mib: int = 16
    processes: int = 64  # at once, all of them together
    walled: bool = False  # in a sandbox of bubblewrap, where there is one

    def apply(self) -> None:
        """Set the limits of this process, which its children inherit."""
        for what, most in (
            (resource.RLIMIT_AS, self.memory_mib * MIB),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_FSIZE, self.file_mib * MIB),
            (resource.RLIMIT_CORE, 0),
        ):
            _, ceiling = resource.getrlimit(what)
            least = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
            resource.setrlimit(what, (least, least))

    def as_json(self) -> str:
        """Return the limits for another process."""
        return json.dumps(vars(self))


def sandbox() -> str | None:
    """Return the path of bubblewrap, or None where there is none."""
    return shutil.which("bwrap")


def environment() -> dict[str, str]:
    """Return what a learner's process gets to see of the environment: no credentials."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": "/nonexistent",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(ROOT),
    }


def command(arguments: Sequence[str], *, submission: Path, folder: Path, walled: bool) -> list[str]:
    """Return the command that runs Python with these arguments.

    Args:
        arguments: of Python.
        submission: the learner's file; what lies beside it can be read too.
        folder: the only place that can be written.
        walled: inside bubblewrap, where there is one: processes of its own, and of the file system
            only what Python and these two need, so neither other submissions nor anybody's home.
    """
    python = [sys.executable, *arguments]
    bwrap = sandbox() if walled else None
    if bwrap is None:
        return python
    prefixes = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])}
    ours = (ROOT / "helpers", ROOT / "labs" / "__init__.py", ROOT / "labs" / "judge")
    seen = [*SYSTEM, *sorted(prefixes), *map(str, ours), str(submission.parent)]
    return [
        bwrap,
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),
        *(word for place in seen for word in ("--ro-bind-try", place, place)),
        *("--bind", str(folder), str(folder)),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"),
        *python,
    ]
