"""A machine without a broker, on which tests put stand-ins for docker and apt-get."""

import pytest

from helpers.broker import scratch, selection
from helpers.broker.decisions import decisions
from helpers.machine import apt as apt_get
from helpers.rabbitmq import server


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a folder of programs that is the whole PATH of a machine without a broker."""
    programs = tmp_path / "bin"
    programs.mkdir()
    home = tmp_path / "home"
    monkeypatch.setenv("PATH", f"{programs}")
    monkeypatch.setenv("RABBIT_LAB_HOME", str(home))
    for name in (
        "RABBIT_LAB_INSTALL",
        "AMQP_URL",
        "MANAGEMENT_URL",
        "RABBIT_LAB_DOCKER",
        "RABBIT_LAB_SERVER",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(server, "PLACES", ())
    monkeypatch.setattr(apt_get, "NAMESPACE", ())
    monkeypatch.setattr(selection, "_current", None)
    monkeypatch.setattr(scratch, "_scratch", None)
    return programs


def program(folder, name, script):
    """Write a shell script as a program of the folder ``machine``."""
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}")
    path.chmod(0o755)
    return path


def reasons():
    """Return why each way to a broker was taken or not, by its source."""
    return {decision.source: decision.reason for decision in decisions()}
