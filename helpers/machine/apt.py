"""Install packages with apt-get, as root on Debian or Ubuntu, without starting their services."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine.locks import exclusive
from helpers.machine.paths import home
from helpers.machine.run import run
from helpers.machine.telling import say

APT_TIMEOUT_S = 900.0
POLICY = Path("/usr/sbin/policy-rc.d")
# With these, a package's scripts start its service. A file in /usr/sbin would stop them, too, but
# it would stay if this process were killed. So apt-get runs in a mount namespace of its own, in
# which both do nothing; the kernel removes the namespace when the last process in it ends.
STARTERS = ("/usr/sbin/invoke-rc.d", "/usr/bin/deb-systemd-invoke")
WITHOUT_STARTERS = "".join(
    f"if [ -e {path} ]; then mount --bind /bin/true {path} || exit 1; fi\n" for path in STARTERS
)
NAMESPACE = ("unshare", "--mount", "sh", "-c", f'{WITHOUT_STARTERS}exec "$@"', "sh")


class AptError(RabbitLabError):
    """apt-get failed; the message holds its last line."""


def why_not() -> str | None:
    """Return why nothing can be installed from here, or None when it can.

    ``RABBIT_LAB_INSTALL=off`` declines every installation.
    """
    if not has_apt():
        return "this is not Debian or Ubuntu"
    if os.environ.get("RABBIT_LAB_INSTALL") == "off":
        return "RABBIT_LAB_INSTALL is off"
    if os.geteuid() != 0:
        return "installing needs root"
    return None


def has_apt() -> bool:
    """Return whether this system installs its packages with apt-get."""
    return platform.system() == "Linux" and shutil.which("apt-get") is not None


def ensure(package: str, *, is_missing: Callable[[], bool]) -> None:
    """Announce and install a package if it is missing; its service is not started.

    Two processes that call this at once install it once.

    Args:
        package: the name of the package.
        is_missing: whether it is missing; asked when no other process of this checkout installs.

    Raises:
        AptError: nothing can be installed from here, or apt-get fails or takes too long.
    """
    with alone():
        if not is_missing():
            return
        if reason := why_not():
            raise AptError(f"{package} is not installed: {reason}")
        say(
            f"Installing Debian's {package} with apt-get. Its system service is not started;"
            f" remove it with `apt-get remove {package}`."
        )
        install(package)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process of this checkout installs a package, and keep others waiting."""
    with exclusive(home() / "install.lock", timeout_s=APT_TIMEOUT_S):
        yield


def install(*packages: str) -> None:
    """Install packages; a system service that they bring is not started.

    Raises:
        AptError: apt-get fails or takes too long.

    Source: invoke-rc.d(8), deb-systemd-invoke(1), mount_namespaces(7).
    """
    command = ("install", "-y", "--no-install-recommends", *packages)
    if _apt(*command).returncode:
        _apt("update")
        done = _apt(*command)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            words = lines[-1][3:] if lines else done.stderr.strip()[-200:]
            raise AptError(f"`apt-get install {' '.join(packages)}` failed ({words})")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments)
    # A policy of this machine decides. Containers have one, and may not make a namespace.
    namespace = () if POLICY.exists() else NAMESPACE
    return run(
        (*namespace, *command),
        timeout_s=APT_TIMEOUT_S,
        error=AptError,
        name=f"`{' '.join(command)}`",
        environment=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
    )
