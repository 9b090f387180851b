"""JupyterLab: its start, its settings, its end."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
import requests

from helpers.errors import NotWrittenError, RabbitLabError, UsageError
from helpers.machine.paths import ROOT
from helpers.suite import jupyterlab
from tests.conftest import child_environment


def first_page():
    return ROOT / "notebooks" / "q01_event_driven.ipynb"


def test_lab_answers_makes_no_call_and_stops_at_ctrl_c(shared_broker, tmp_path):
    environment = child_environment(
        RABBIT_LAB_HOME=str(tmp_path),
        AMQP_URL=shared_broker.amqp_url,
        MANAGEMENT_URL=shared_broker.management_url,
    )
    with subprocess.Popen(
        [sys.executable, "-m", "helpers", "lab", "--no-browser"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        lines = iter(process.stdout.readline, "")
        page = next(line for line in lines if "/lab/tree/notebooks/start.md?token=" in line).strip()
        base, _, token = page.partition("/lab/tree/notebooks/start.md?token=")
        session = requests.Session()
        session.headers["Authorization"] = f"token {token}"
        status = session.get(f"{base}/api/status", timeout=10)
        refused = requests.get(f"{base}/api/contents/notebooks", timeout=10)
        folders = session.get(f"{base}/api/contents/", timeout=10).json()["content"]
        html = session.get(f"{base}/lab", timeout=10).text
        settings = session.get(
            f"{base}/lab/api/settings/@jupyterlab/apputils-extension:notification", timeout=10
        ).json()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert status.ok
    assert refused.status_code == 403
    assert {"notebooks", "helpers"} <= {folder["name"] for folder in folders}
    assert '"disabledExtensions": ["@jupyterlab/apputils-extension:announcements"]' in html
    properties = settings["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False
    assert process.returncode == 0
    assert said == "\nJupyterLab has stopped; the broker is still up: `make down` stops it.\n"
    with pytest.raises(requests.ConnectionError):
        requests.get(base, timeout=5)
    assert (tmp_path / "jupyter").is_dir()


def test_without_its_first_page_the_folder_of_the_notebooks_is_opened(capsys):
    def full():
        raise NotWrittenError("cannot write start.md: the disk is full")

    assert jupyterlab._written(full) == "notebooks"
    assert "JupyterLab opens on the notebooks' folder: cannot write start.md" in (
        capsys.readouterr().out
    )


def test_lab_that_ends_at_once_tells_why(tmp_path, monkeypatch, shared_broker):
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(jupyterlab.sys, "executable", shutil.which("false"))
    monkeypatch.setattr(jupyterlab.broker, "find", lambda: shared_broker)
    with pytest.raises(RabbitLabError, match=r"ended with code 1; its log is .*jupyterlab\.log"):
        jupyterlab.run(ip="127.0.0.1", port=None, browser=False, first=first_page)


def test_lab_that_never_answers_is_ended(tmp_path, monkeypatch, shared_broker):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\ntrap '' TERM\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(jupyterlab.sys, "executable", str(slow))
    monkeypatch.setattr(jupyterlab.broker, "find", lambda: shared_broker)
    monkeypatch.setattr(jupyterlab, "START_TIMEOUT_S", 0.3)
    monkeypatch.setattr(jupyterlab, "STOP_TIMEOUT_S", 0.3)
    with pytest.raises(RabbitLabError, match=r"did not answer within 0\.3 s"):
        jupyterlab.run(ip="127.0.0.1", port=None, browser=False, first=first_page)


def test_lab_takes_the_next_port_and_refuses_a_taken_one(monkeypatch):
    monkeypatch.setattr(jupyterlab, "is_free", lambda port, ip: port == jupyterlab.PORTS[1])
    assert jupyterlab._choose_port("127.0.0.1", None) == jupyterlab.PORTS[1]
    assert jupyterlab._choose_port("127.0.0.1", jupyterlab.PORTS[1]) == jupyterlab.PORTS[1]
    with pytest.raises(UsageError, match="port 8888 is taken"):
        jupyterlab._choose_port("127.0.0.1", 8888)
    monkeypatch.setattr(jupyterlab, "is_free", lambda port, ip: False)
    with pytest.raises(RabbitLabError, match="all taken"):
        jupyterlab._choose_port("127.0.0.1", None)


def test_browser_is_opened_only_where_there_is_a_display(monkeypatch):
    monkeypatch.setattr(jupyterlab.sys, "platform", "linux")
    for name in ("CI", "RABBIT_LAB_NO_BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not jupyterlab._has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert jupyterlab._has_display()
    monkeypatch.setenv("CI", "true")
    assert not jupyterlab._has_display()


def test_closed_terminal_counts_as_ctrl_c(monkeypatch, capsys):
    def closed(*_):
        os.kill(os.getpid(), signal.SIGHUP)
        threading.Event().wait(5)
        return 1

    before = signal.getsignal(signal.SIGHUP)
    monkeypatch.setattr(jupyterlab, "_run", closed)
    assert jupyterlab.run(ip="127.0.0.1", port=None, browser=False, first=first_page) == 0
    assert "JupyterLab has stopped" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGHUP) is before
