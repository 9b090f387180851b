"""Find a Docker engine with Compose 2, or start one for the time of a ``with`` block."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine import apt
from helpers.machine.paths import home
from tests.slow.offline import standins

PACKAGES = ("docker.io", "iptables")
PLUGIN = Path("/usr/local/lib/docker/cli-plugins/docker-compose")
PACKAGED = "usr/libexec/docker/cli-plugins/docker-compose"
SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0


class NoEngineError(RabbitLabError):
    """There is no engine and none can be started; the message has the reason."""


@contextmanager
def running() -> Iterator[str]:
    """Find an engine that answers or start one; an engine started here ends with the block.

    Yields:
        A description: found or started, and the versions of engine and Compose.

    Raises:
        NoEngineError: no engine answers and none can be started.
    """
    if _version() is not None:
        _compose_plugin()
        yield f"the engine that runs here, {_versions()}"
        return
    if os.environ.get("DOCKER_HOST"):
        raise NoEngineError("DOCKER_HOST names an engine that does not answer")
    if _dockerd() is None:
        _install()
    program = _dockerd()
    if program is None:
        raise NoEngineError("no Docker engine answers, and there is no dockerd to start one")
    log = home() / "dockerd.log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [program],
            env={**os.environ, "PATH": _path()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches only this process, which then stops it
        )
    try:
        _wait_for(daemon, log)
        _compose_plugin()
        yield f"an engine started for this, {_versions()}"
    finally:
        daemon.terminate()
        try:
            daemon.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _dockerd() -> str | None:
    return shutil.which("dockerd", path=_path())


def _path() -> str:
    # dockerd and its iptables are programs for root, which not every shell's PATH names.
    return os.pathsep.join([os.environ.get("PATH", ""), *SBIN])


def _install() -> None:
    if reason := apt.why_not():
        raise NoEngineError(f"no Docker engine answers, and none can be installed: {reason}")
    print(f"Installing Debian's {' and '.join(PACKAGES)} with apt-get …", flush=True)
    try:
        apt.install(*PACKAGES)
    except apt.AptError as error:
        raise NoEngineError(f"Debian's Docker engine cannot be installed: {error}") from None


def _wait_for(daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while _version() is None:
        if daemon.poll() is not None or time.monotonic() > end_s:
            problem = "ended" if daemon.poll() is not None else "does not answer"
            lines = log.read_text(errors="replace").strip().splitlines() or ["its log is empty"]
            raise NoEngineError(f"dockerd {problem}: {lines[-1][:300]}")
        try:
            daemon.wait(0.2)
        except subprocess.TimeoutExpired:
            continue


def _compose_plugin() -> None:
    if _output("compose", "version", "--short"):
        return
    if reason := standins.why_not():
        raise NoEngineError(f"this docker lacks `docker compose`, which cannot be built: {reason}")
    # Debian 12's docker-compose is Compose 1; Debian 13's runs here, it needs only the C library.
    print(f"Taking Compose 2 from Debian 13's docker-compose, as {PLUGIN} …", flush=True)
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(standins.tree("compose") / PACKAGED, PLUGIN)
    if not _output("compose", "version", "--short"):
        raise NoEngineError("the docker command does not run Debian 13's docker-compose")


def _versions() -> str:
    return f"Docker {_version()}, Compose {_output('compose', 'version', '--short')}"


def _version() -> str | None:
    return _output("version", "--format", "{{.Server.Version}}") or None


def _output(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
