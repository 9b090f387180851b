"""Run the tests and the labs' correct solutions in a fresh clone on a fresh Debian."""

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from tests.slow.offline import standins, wrapper

SUITES = tuple(
    name.removeprefix("debian-") for name in standins.STANDINS if name.startswith("debian-")
)
TIMEOUT_S = 2400.0
COUNTS = r"((?:\d+ failed, )?\d+ passed.*?) in [\d.]+s"
COMMAND = "make test && make labs-proof ARGS=--correct"
HEADER = (
    "| Debian | Python | RabbitMQ | tests, correct solutions | time |",
    "|---|---|---|---|---|",
)
# Files are written to a temporary layer, so that the tree stays fresh. When the first process of
# the namespace ends, the kernel ends all others.
SCRIPT = """\
set -e
layer=$1 tree=$2 source=$3 wheels=$4
mount -t tmpfs tmpfs "$layer"
mkdir "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay "$layer/root" \\
  -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work"
cd "$layer/root"
mkdir -p mnt/source
mount --bind "$source" mnt/source
mount -t proc proc proc
mount --rbind /dev dev
if [ -d "$wheels" ]; then mkdir -p ".$wheels"; mount --bind "$wheels" ".$wheels"; fi
cp /etc/resolv.conf etc/resolv.conf
echo "127.0.0.1 localhost $(uname -n)" > etc/hosts
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec chroot . /bin/sh -c "$5"
"""
# A path that not every program can read.
CLONE = """\
git config --global --add safe.directory '*' &&
git clone -q /mnt/source "/root/für Ungeübte/rabbit lab" && cd "/root/für Ungeübte/rabbit lab" &&
"""


@dataclass(frozen=True)
class Result:
    """What one Debian printed, and how it ended."""

    suite: str
    status: int
    lines: tuple[str, ...]
    seconds: float

    @property
    def row(self) -> str:
        """The row of the table."""
        cells = [self.suite, self._last(r"Python (3[.\d]+)"), self._last(r"RabbitMQ ([.\d]+)")]
        outcome = "passed" if not self.status else f"exit code {self.status}"
        counts = max(self._found(COUNTS), key=_passed, default="nothing was run")
        return f"| {' | '.join(cells)} | {outcome}: {counts} | {self.seconds:.0f} s |"

    def _last(self, pattern: str) -> str:
        """Return the longest match of a pattern: a full version."""
        return max(self._found(pattern), key=len, default="")

    def _found(self, pattern: str) -> list[str]:
        return re.findall(pattern, "\n".join(self.lines))


def _passed(counts: str) -> int:
    """Return how many passed: of two parts the whole suite's counts are shown."""
    return int(counts.partition(" passed")[0].split()[-1])


def check_suites(names: Sequence[str]) -> list[str]:
    """Return the chosen suites.

    Args:
        names: code names such as "forky"; all when empty.

    Raises:
        UsageError: a name is unknown.
    """
    if unknown := [name for name in names if name not in SUITES]:
        raise UsageError(f"no Debian {', '.join(unknown)}: there are {', '.join(SUITES)}")
    return [suite for suite in SUITES if suite in names or not names]


def run(suite: str, command: str = COMMAND) -> Result:
    """Clone the last commit on a fresh Debian, run a command there, and print its output.

    Args:
        suite: code name such as "forky".
        command: for ``sh``, in the clone.

    Raises:
        NoOtherTreeError: this user or machine cannot mount what it needs.
        StandinError: the root file system cannot be built.
    """
    if reason := wrapper.why_not():
        raise wrapper.NoOtherTreeError(reason)
    tree, began_s, lines = standins.tree(f"debian-{suite}"), time.monotonic(), []
    wheels = os.environ.get("PIP_FIND_LINKS", "")  # a folder that pip uses here
    with tempfile.TemporaryDirectory(prefix="debian-") as layer:
        places = [layer, str(tree), str(ROOT), wheels if Path(wheels).is_absolute() else ""]
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT, "sh",
             *places, CLONE + command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        )  # fmt: skip
        limit = threading.Timer(TIMEOUT_S, process.kill)
        limit.start()
        with process:
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    print(f"[{suite}] {lines[-1]}", flush=True)
            finally:
                limit.cancel()
                process.kill()
    return Result(suite, process.returncode, tuple(lines), time.monotonic() - began_s)
