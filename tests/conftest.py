"""Fixtures that several test modules use: the shared broker, and child processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import broker
from helpers.waits import wait_until

# Some start a node and `rabbitmqctl`, which on a loaded machine take a minute each.
CHILD_TIMEOUT_S = 240.0

# A shell starts what runs in the background with interrupts ignored, and children inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_broker() -> broker.Broker:
    """Return the broker that everything in this checkout shares, started when need be."""
    return broker.find()


@pytest.fixture
def channel(shared_broker: broker.Broker):
    """Return a channel into an empty scratch vhost."""
    return broker.clean_channel()


@pytest.fixture(scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for private nodes of the tests' own, and stop what runs there at the end."""
    home = tmp_path_factory.mktemp("home")
    yield home
    environment = child_environment(home=home)
    subprocess.run(
        [sys.executable, "-m", "helpers", "down"],
        env=environment,
        check=True,
        timeout=CHILD_TIMEOUT_S,
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Keep what is shown: the list gets a figure per drawing."""
    import matplotlib.pyplot as plt

    figures: list[Any] = []
    monkeypatch.setattr(plt, "show", lambda: figures.append(plt.gcf()))
    return figures


def child_environment(*, home: Path | None = None, **variables: str | None) -> dict[str, str]:
    """Return our environment with changes; None takes a variable out.

    Args:
        home: folder for a private node of its own, instead of the shared broker.
        variables: further variables.
    """
    environment = dict(os.environ)
    if home is not None:
        environment["RABBIT_LAB_HOME"] = str(home)
        private = {"AMQP_URL": None, "MANAGEMENT_URL": None, "RABBIT_LAB_DOCKER": "off"}
        variables = private | variables
    for name, value in variables.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def run_python(
    *arguments: str,
    environment: dict[str, str] | None = None,
    timeout_s: float = CHILD_TIMEOUT_S,
) -> subprocess.CompletedProcess[str]:
    """Run Python with ``arguments`` and return what it printed."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.fixture
def start_python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts Python code as a child; all are killed after the test."""
    children: list[subprocess.Popen[str]] = []

    def start(code: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-u", "-c", code],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def is_gone(pid: int) -> bool:
    """Return whether process ``pid`` has ended, reaped or not."""
    from helpers.machine.processes import is_alive

    return not is_alive(pid)


def wait_gone(pid: int, *, timeout_s: float = 10.0) -> None:
    """Wait until process ``pid`` has ended."""
    wait_until(lambda: is_gone(pid), timeout_s=timeout_s, what=f"the end of process {pid}")
