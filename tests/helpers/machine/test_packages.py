"""Packages of a lock file: which are missing, and what pip's failure says."""

import importlib.metadata
import subprocess

import pytest

from helpers.machine import packages

HERE = importlib.metadata.version("pika")
LOCKED = f"""\
# written by hand
pika=={HERE} \\
    --hash=sha256:0000 \\
    # via -r requirements.txt
no-such-package==1.0 \\
    --hash=sha256:0000
no-such-system==1.0 ; sys_platform == 'vax' \\
    --hash=sha256:0000
"""


def test_missing_is_what_this_python_and_system_lack(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCKED)
    assert packages.missing(lock) == ["no-such-package==1.0"]
    lock.write_text(LOCKED.replace(HERE, "0.1"))
    assert packages.missing(lock) == ["pika==0.1", "no-such-package==1.0"]


def test_nothing_is_run_when_nothing_is_missing(tmp_path, monkeypatch):
    lock = tmp_path / "some.lock"
    lock.write_text(f"pika=={HERE}\n")
    monkeypatch.setattr(packages.subprocess, "run", lambda *_, **__: pytest.fail("pip runs"))
    packages.ensure(lock)


def test_pip_s_failure_is_one_sentence(tmp_path, capfd):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCKED)  # no download: pip refuses such a hash first
    with pytest.raises(packages.PackagesMissingError, match="failed; the reason stands above"):
        packages.ensure(lock)
    assert "Installing packages of " in capfd.readouterr().out


def test_pip_that_hangs_is_ended(tmp_path, monkeypatch):
    lock = tmp_path / "some.lock"
    lock.write_text(LOCKED)

    def hangs(command, *, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(packages.subprocess, "run", hangs)
    with pytest.raises(packages.PackagesMissingError, match="longer than 900 s; run the command"):
        packages.ensure(lock)
