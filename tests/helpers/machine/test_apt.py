"""Installing with apt-get: announced, declined, and without traces of a killed process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from helpers.machine import apt
from helpers.machine.processes import is_alive
from helpers.waits import wait_until

ABSENT = Path("/nonexistent/policy-rc.d")
INSTALL = f"""
from pathlib import Path
from helpers.machine import apt
apt.POLICY = Path({str(ABSENT)!r})
apt.install("some-package")
"""


def can_make_a_namespace() -> bool:
    done = subprocess.run([*apt.NAMESPACE, "true"], capture_output=True, check=False)
    return done.returncode == 0


def fake_apt_get(folder: Path, script: str) -> dict[str, str]:
    """Write a program apt-get, and return an environment that finds it first."""
    program = folder / "apt-get"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}


def system_files() -> dict[str, tuple[int, int, int]]:
    """Return identity, size and time of change of what could start a service."""
    folders = (Path("/usr/sbin"), Path("/usr/bin"))
    names = ("policy-rc.d", "invoke-rc.d", "deb-systemd-invoke")
    paths = [*folders, *(folder / name for folder in folders for name in names)]
    stats = {str(path): path.stat() for path in paths if path.exists()}
    return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not can_make_a_namespace(),
    reason="only root may make a mount namespace",
)
def test_killed_while_apt_get_runs_nothing_of_the_system_is_changed(tmp_path):
    report = tmp_path / "report"
    environment = fake_apt_get(
        tmp_path,
        f"for starter in {' '.join(apt.STARTERS)}; do\n"
        '  [ ! -e "$starter" ] || cmp -s "$starter" /bin/true || echo "$starter starts services"\n'
        f"done >{report}.new\n"
        f"echo $$ >>{report}.new; mv {report}.new {report}\n"
        "exec sleep 60\n",
    )
    before = system_files()
    mounts = Path("/proc/self/mounts").read_text()
    with subprocess.Popen([sys.executable, "-c", INSTALL], env=environment) as installer:
        try:
            wait_until(report.exists, timeout_s=30, what="apt-get")
            assert system_files() == before
        finally:
            installer.send_signal(signal.SIGKILL)
    (pid,) = report.read_text().split("\n")[:-1]  # nothing there starts a service
    assert is_alive(int(pid))  # as a real one, it goes on
    assert system_files() == before
    assert Path("/proc/self/mounts").read_text() == mounts
    psutil.Process(int(pid)).kill()
    assert not ABSENT.exists()


def test_a_policy_of_the_machine_decides(tmp_path, monkeypatch):
    calls = tmp_path / "calls"
    environment = fake_apt_get(tmp_path, f'readlink /proc/$$/ns/mnt >{calls}; echo "$*" >>{calls}')
    monkeypatch.setenv("PATH", environment["PATH"])
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 7\n")
    monkeypatch.setattr(apt, "POLICY", policy)
    apt.install("some-package")
    namespace, command = calls.read_text().splitlines()
    assert namespace == str(Path("/proc/self/ns/mnt").readlink())
    assert command.endswith("install -y --no-install-recommends some-package")
    assert policy.read_text() == "#!/bin/sh\nexit 7\n"


def test_a_namespace_that_is_refused_is_one_error(tmp_path, monkeypatch):
    environment = fake_apt_get(tmp_path, "exit 0")
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2; exit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", environment["PATH"])
    monkeypatch.setattr(apt, "POLICY", ABSENT)
    with pytest.raises(apt.AptError, match=r"x` failed \(unshare: Operation not permitted\)"):
        apt.install("x")


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Let every installation be possible, and return the packages that are installed."""
    packages: list[str] = []
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.delenv("RABBIT_LAB_INSTALL", raising=False)
    monkeypatch.setattr(apt, "has_apt", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(apt, "install", packages.append)
    return packages


def test_each_package_is_announced_and_installed_once(installed, capsys):
    for _ in range(2):
        apt.ensure("tool", is_missing=lambda: "tool" not in installed)
    assert installed == ["tool"]
    assert capsys.readouterr().out == (
        "Installing Debian's tool with apt-get. Its system service is not started; remove it with"
        " `apt-get remove tool`.\n"
    )


def test_installing_can_be_declined(installed, monkeypatch, capsys):
    monkeypatch.setenv("RABBIT_LAB_INSTALL", "off")
    assert apt.why_not() == "RABBIT_LAB_INSTALL is off"
    with pytest.raises(apt.AptError, match="tool is not installed: RABBIT_LAB_INSTALL is off"):
        apt.ensure("tool", is_missing=lambda: True)
    assert (installed, capsys.readouterr().out) == ([], "")
