"""Run the RabbitMQ of another root file system as if it were installed on this machine.

``write`` makes a folder with four scripts, ``rabbitmq-server``, ``rabbitmqctl``, ``epmd`` and
``erl``. Each runs the program of that name in the other tree. The nodes' folder has the same path
there. Processes keep their ids, signals and network, so that a node can be found, killed and
restarted like an installed one.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from helpers.errors import BrokerNotFoundError

PROGRAMS = {
    "rabbitmq-server": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "rabbitmqctl": "/usr/lib/rabbitmq/bin/rabbitmqctl",
    "epmd": "/usr/bin/epmd",
    "erl": "/usr/bin/erl",
}
TRY_TIMEOUT_S = 20.0
# The mounts are made in a new mount namespace: other processes do not see them, and the kernel
# removes them when the last process of the namespace ends. Files written outside of the nodes'
# folder go to a temporary layer, so that the tree does not change. The machine's name is written
# to the hosts file, so that resolving it needs no name server.
SCRIPT = """\
#!/bin/sh
exec unshare --mount /bin/sh -c '
set -e
layer=$1 tree=$2 home=$3 program=$4
shift 4
mount -t tmpfs tmpfs "$layer"
mkdir "$layer/upper" "$layer/work" "$layer/root"
mount -t overlay overlay "$layer/root" \\
  -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work"
cd "$layer/root"
mkdir -p ".$home"
mount --rbind "$home" ".$home"
mount --rbind /proc proc
mount --rbind /dev dev
echo "127.0.0.1 localhost $(uname -n)" > etc/hosts
PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec chroot . "$program" "$@"
' sh {arguments} "$@"
"""


class NoOtherTreeError(BrokerNotFoundError):
    """The RabbitMQ of another root file system cannot be run on this machine."""


def why_not() -> str | None:
    """Return, in one sentence, why another tree's RabbitMQ cannot be run here, or None."""
    subject = "running a RabbitMQ that is not installed here needs"
    if os.geteuid() != 0:
        return f"{subject} root, for its mounts: run `sudo make test-versions`"
    lacking = [name for name in ("unshare", "mount", "chroot") if shutil.which(name) is None]
    if lacking:
        return f"{subject} the programs {', '.join(lacking)} of Linux's util-linux and coreutils"
    return None


def write(folder: Path, *, tree: Path, home: Path) -> Path:
    """Write the scripts.

    Args:
        folder: the folder of the scripts, made if absent. An empty folder for their temporary
            layers is made beside it.
        tree: a root file system with RabbitMQ's Debian package; it is not changed.
        home: the folder that has the nodes' folders.

    Returns:
        The script of the server.

    Raises:
        NoOtherTreeError: the tree has no RabbitMQ, or its programs cannot be run here.
    """
    if reason := why_not():
        raise NoOtherTreeError(reason)
    if lacking := [one for one in PROGRAMS.values() if not os.path.lexists(f"{tree}{one}")]:
        raise NoOtherTreeError(f"{tree} has no {lacking[0]}: RabbitMQ is not installed in it")
    layer = folder.with_name("layer")
    for needed in (folder, layer, home):
        needed.mkdir(parents=True, exist_ok=True)
    _try(script(layer, tree, home, "/bin/true"))
    for name, program in PROGRAMS.items():
        path = folder / name
        path.write_text(script(layer, tree, home, program), encoding="utf-8")
        path.chmod(0o755)
    return folder / "rabbitmq-server"


def script(layer: Path, tree: Path, home: Path, program: str) -> str:
    """Return a script that runs a program of another tree, as this process.

    Args:
        layer: an empty folder, for files that the program writes; they are lost when it ends.
        tree: a root file system; it is not changed.
        home: a folder that the program sees, and can write to, at the same path.
        program: the program's path in the tree.
    """
    arguments = shlex.join(map(str, (layer, tree, home, program)))
    return SCRIPT.replace("{arguments}", arguments)


def _try(text: str) -> None:
    # In a container, root may often not mount: without this, a node would seem to be broken.
    done = subprocess.run(
        ["/bin/sh", "-c", text], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=TRY_TIMEOUT_S, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()
        raise NoOtherTreeError(
            f"a program of another root file system cannot be run here ({lines[-1]}): this needs a"
            " root that may mount, which a container's usually may not"
        )
