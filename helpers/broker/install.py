"""Installing RabbitMQ with apt, as root on Debian or Ubuntu, and what to do elsewhere."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.broker.decisions import say
from helpers.broker.locks import exclusive
from helpers.broker.paths import home
from helpers.broker.server import server_script
from helpers.errors import BrokerNotFoundError

SOURCE = "apt"
PACKAGE = "rabbitmq-server"
APT_TIMEOUT_S = 900.0
POLICY = Path("/usr/sbin/policy-rc.d")


def why_not() -> str | None:
    """Return why RabbitMQ cannot be installed from here, or None when it can."""
    if not _has_apt():
        return "this is not Debian or Ubuntu"
    if os.geteuid() != 0:
        return "installing needs root"
    return None


def install() -> None:
    """Install RabbitMQ with apt-get; its system service is not started.

    Raises:
        BrokerNotFoundError: apt-get fails; the message holds its last words.
    """
    with exclusive(home() / "install.lock", timeout_s=APT_TIMEOUT_S):
        if server_script() is not None:
            return
        say(
            f"There is no broker on this machine: installing Debian's {PACKAGE} with apt-get. Its"
            f" system service is not started; `apt-get remove {PACKAGE}` takes it away again …"
        )
        with _no_services_started():
            if _apt("install", "-y", "--no-install-recommends", PACKAGE).returncode:
                _apt("update")
                done = _apt("install", "-y", "--no-install-recommends", PACKAGE)
                if done.returncode:
                    lines = [line for line in done.stderr.splitlines() if line.startswith("E:")]
                    words = lines[-1][3:] if lines else done.stderr.strip()[-200:]
                    raise BrokerNotFoundError(
                        f"`apt-get install {PACKAGE}` failed ({words}); {ways_to_get_one()}"
                    )


def ways_to_get_one() -> str:
    """Return, in one sentence, how to get a broker on this system."""
    if _has_apt():
        local = f"`sudo apt-get install {PACKAGE}` (its system service may stay stopped)"
    elif platform.system() == "Darwin":
        local = "`brew install rabbitmq`"
    else:
        local = f"install {PACKAGE} with this system's package manager"
    return (
        f"there is no broker here and none can be started: {local}; or start Docker with its"
        " compose plugin; or set AMQP_URL=amqp://user:password@host:5672/%2F to one that runs"
        " elsewhere"
    )


def _has_apt() -> bool:
    return platform.system() == "Linux" and shutil.which("apt-get") is not None


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    try:
        return subprocess.run(
            command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BrokerNotFoundError(
            f"`{' '.join(command)}` took more than {APT_TIMEOUT_S:g} s"
        ) from None


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep the package from starting its service, and leave the machine's own policy alone."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)
