"""The command line, JupyterLab's start, the suite's order, and how ``.venv`` comes about."""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import requests

from helpers import __main__ as command_line
from helpers import broker, chaos
from helpers.errors import BrokerNotReadyError, RabbitLabError, ServiceNotReadyError, UsageError
from helpers.machine.paths import ROOT
from helpers.services import node, postgresql
from helpers.suite import bootstrap, checks, doctor, jupyterlab
from tests.conftest import child_environment, run_python

NOWHERE = child_environment(AMQP_URL="amqp://guest:guest@nosuchhost.invalid/")


def test_no_command_shows_how_to_use_it():
    done = run_python("-m", "helpers")
    assert done.returncode == 2
    assert "usage: python -m helpers" in done.stderr


@pytest.mark.parametrize("arguments", [["no-such"], ["up", "--no-such"], ["up", "more"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "status", "lab"])
def test_error_is_one_line_and_no_traceback(command):
    done = run_python("-m", "helpers", command, environment=NOWHERE)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the host name 'nosuchhost.invalid' does not resolve: check AMQP_URL\n"
    )
    assert done.stdout == ""


def test_doctor_says_what_is_wrong_with_the_given_broker():
    done = run_python("-m", "helpers", "doctor", environment=NOWHERE)
    assert done.returncode == 1
    assert "LOOK  the host name 'nosuchhost.invalid' does not resolve" in done.stdout


def test_usage_error_has_a_code_of_its_own(capsys):
    environment = child_environment(AMQP_URL="localhost")
    done = run_python("-m", "helpers", "up", environment=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("error: AMQP_URL has to look like")


def test_up_status_and_doctor(channel, shared_broker, capsys):
    assert command_line.main(["up"]) == 0
    assert f"RabbitMQ {shared_broker.version}" in capsys.readouterr().out
    assert command_line.main(["status"]) == 0
    assert broker.vhost() in capsys.readouterr().out
    assert command_line.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "LOOK" not in printed
    signs = ("Python", "packages", "GB free", "opening", "plugins: all", "Prometheus")
    for sign in (*signs, broker.vhost()):
        assert sign in printed


def test_doctor_says_when_connections_open_slowly(shared_broker):
    with chaos.proxy(round_trip_ms=500) as network:  # opening one takes some three round trips
        far = dataclasses.replace(shared_broker, amqp_url=broker.amqp_url(via=network))
        found = doctor._opening(far)
    assert not found.fine
    assert re.search(r"takes \d{4} ms, .* /etc/hosts", found.text)


def test_status_and_doctor_without_a_broker(tmp_path):
    environment = child_environment(home=tmp_path, RABBIT_LAB_SERVICES="off")
    lacks = (node.missing() or "").rstrip(".")
    server = f"optional: {lacks}" if lacks else f"{node.NAME}: {node.describe()}"
    done = run_python("-m", "helpers", "status", environment=environment)
    assert (done.returncode, done.stdout) == (
        0,
        "Not running: no broker is running: start one with `make up`.\n"
        "  optional: PostgreSQL is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: Prometheus is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: Kafka is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: A cluster is not used: RABBIT_LAB_SERVICES is off\n"
        f"  {server}\n",
    )
    done = run_python("-m", "helpers", "doctor", environment=environment)
    assert "AMQP_URL" not in done.stdout
    assert "no broker is running yet" in done.stdout


def test_doctor_names_the_services(monkeypatch):
    monkeypatch.setattr(doctor, "SERVICES", {"tag": (there := SimpleNamespace(NAME="Database"))})
    there.missing, there.describe = lambda: None, lambda: "is up"
    assert str(doctor._services()[0]) == "ok    Database: is up"
    there.missing = lambda: "There is no Database: get one."
    assert str(doctor._services()[0]) == "ok    optional: There is no Database: get one"

    def refuses():
        raise ServiceNotReadyError("no connection to Database")

    there.missing, there.describe = lambda: None, refuses
    assert str(doctor._services()[0]) == "LOOK  no connection to Database"


def test_doctor_says_whether_packages_are_installed(monkeypatch):
    monkeypatch.setattr(doctor.apt, "has_apt", lambda: True)
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    monkeypatch.delenv("RABBIT_LAB_INSTALL", raising=False)
    assert "RABBIT_LAB_INSTALL=off declines" in str(doctor._installing())
    monkeypatch.setenv("RABBIT_LAB_INSTALL", "off")
    assert str(doctor._installing()) == (
        "ok    missing packages are not installed: RABBIT_LAB_INSTALL is off"
    )


def test_doctor_finds_packages_that_differ(monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "0.0")
    finding = doctor._packages()
    assert not finding.fine
    assert "pika is 0.0, wanted" in finding.text


def test_doctor_finds_a_full_disk(monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    assert str(doctor._disk()).startswith("LOOK  only")


def test_down_leaves_the_given_broker_alone(shared_broker, tmp_path):
    environment = child_environment(home=tmp_path, AMQP_URL=shared_broker.amqp_url)
    done = run_python("-m", "helpers", "down", environment=environment)
    assert "The broker of AMQP_URL was left alone." in done.stdout
    assert broker.find() == shared_broker


def test_ctrl_c_ends_quietly(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "run", interrupted)
    assert command_line.main(["test"]) == 130


def test_output_that_nobody_reads_is_no_traceback():
    done = subprocess.run(
        ["sh", "-c", '"$0" -m helpers doctor | true', sys.executable],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(("command", "module"), [("sabotage", "sabotage"), ("bench", "bench")])
def test_arguments_are_passed_on(command, module, monkeypatch):
    calls = []

    def run(arguments, **options):
        calls.append(arguments[1:])
        return subprocess.CompletedProcess(arguments, 3)

    monkeypatch.setattr(command_line.subprocess, "run", run)
    assert command_line.main([command, "q02", "--fast"]) == 3
    assert calls == [["-m", f"tests.{module}", "q02", "--fast"]]


# ── JupyterLab ────────────────────────────────────────────────────────────────────────────────


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
        page = next(line for line in lines if "/lab/tree/notebooks?token=" in line).strip()
        base, _, token = page.partition("/lab/tree/notebooks?token=")
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


def test_lab_that_ends_at_once_tells_why(tmp_path, monkeypatch, shared_broker):
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(jupyterlab.sys, "executable", shutil.which("false"))
    monkeypatch.setattr(jupyterlab.broker, "find", lambda: shared_broker)
    with pytest.raises(RabbitLabError, match=r"ended with code 1; its log is .*jupyterlab\.log"):
        jupyterlab.run(ip="127.0.0.1", port=None, browser=False)


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
        jupyterlab.run(ip="127.0.0.1", port=None, browser=False)


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
    assert jupyterlab.run(ip="127.0.0.1", port=None, browser=False) == 0
    assert "JupyterLab has stopped" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGHUP) is before


# ── make test ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def phases(monkeypatch):
    """Replace what the suite runs by tiny programs that end with a chosen code."""

    def choose(*, lint=0, together=0, alone=0, twice=0):
        def ends(code):
            return ("-c", f"raise SystemExit({code})")

        monkeypatch.setattr(checks, "LINT", (("lint one", ends(lint)), ("lint two", ends(0))))
        monkeypatch.setattr(checks, "TOGETHER", ends(together))
        monkeypatch.setattr(checks, "ALONE", ends(alone))
        monkeypatch.setattr(checks, "TWICE", ends(twice))
        monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")

    return choose


def summary(capfd):
    lines = capfd.readouterr().out.rstrip().splitlines()
    start = max(number for number, line in enumerate(lines) if not line)
    return lines[start + 1 :]


def test_suite_runs_everything(phases, shared_broker, capfd):
    phases()
    assert checks.run() == 0
    *results, last = summary(capfd)
    assert [line.partition("  ")[0] for line in results] == [
        "lint one",
        "lint two",
        "broker",
        "services",
        "tests and notebooks",
        "notebooks that measure rates",
    ]
    lacking = sum(service.missing() is not None for service in checks.SERVICES.values())
    assert lacking >= 4
    assert results[3].endswith(f"{lacking} missing: their cells are skipped")
    assert last.startswith("all passed in ")
    assert broker.find() == shared_broker


def test_suite_goes_on_after_a_failure_and_fails(phases, shared_broker, capfd):
    phases(lint=1, together=2, alone=5)
    assert checks.run() == 1
    *results, last = summary(capfd)
    assert [line.split()[-1] for line in results if "FAILED" in line] == ["1", "2", "5"]
    assert len(results) == 6
    assert last.startswith(
        "failed: lint one, tests and notebooks, notebooks that measure rates in "
    )


def test_every_cell_twice_is_a_run_of_its_own(phases, shared_broker, capfd):
    phases(lint=1, twice=0)
    assert checks.twice() == 0
    names = [line.partition("  ")[0] for line in summary(capfd)[:-1]]
    assert names == ["broker", "services", "every cell twice"]
    phases(twice=3)
    assert checks.twice() == 1
    assert summary(capfd)[-1].startswith("failed: every cell twice in ")


def test_suite_without_a_broker_fails(phases, capfd, monkeypatch):
    def not_ready(**_):
        raise BrokerNotReadyError("it does not answer")

    phases()
    monkeypatch.setattr(checks.broker, "find", not_ready)
    assert checks.run() == 1
    assert "failed: broker" in summary(capfd)[-1]


def test_suite_stops_the_broker_that_it_started(phases, shared_broker, monkeypatch):
    stopped = []
    phases()
    monkeypatch.setattr(checks, "_is_running", lambda: False)
    stop = lambda **options: stopped.append(options)  # noqa: E731
    monkeypatch.setattr(checks.doctor, "stop_what_is_ours", stop)
    assert checks.run() == 0
    assert stopped == [{"cluster_too": False}]  # which it never starts


@pytest.mark.parametrize("ran_before", [True, False])
def test_suite_stops_the_postgresql_that_it_started(phases, shared_broker, monkeypatch, ran_before):
    stopped = []
    phases()
    monkeypatch.setattr(checks, "_is_running", lambda: True)
    monkeypatch.setattr(postgresql, "is_running", lambda: ran_before)
    monkeypatch.setattr(postgresql, "stop", lambda: stopped.append(1))
    assert checks.run() == 0
    assert stopped == ([] if ran_before else [1])


def test_interrupted_phase_is_ended(monkeypatch):
    monkeypatch.setattr(checks, "STOP_TIMEOUT_S", 0.2)
    timer = threading.Timer(
        0.3, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)
    )
    timer.start()
    ignore = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        checks._python("-c", ignore)
    timer.join()


def test_lint_runs_all_linters(phases, monkeypatch):
    ran = []
    phases(lint=1)
    monkeypatch.setattr(
        checks, "_python", lambda *arguments: ran.append(arguments) or len(ran) == 1
    )
    assert command_line.main(["lint"]) == 1
    assert len(ran) == 2


# ── .venv ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a tiny checkout without requirements, which is set up without a network."""
    for name in bootstrap.INPUTS:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(bootstrap, "STEPS", bootstrap.STEPS[:1])
    venv = tmp_path / ".venv"
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "STAMP", venv / ".ready")
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "bin" / "python")
    return tmp_path


def test_venv_is_made_once_and_made_again_when_half_made(checkout, capfd, monkeypatch):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    assert bootstrap.main() == 0
    assert "Installing" in capfd.readouterr().out
    assert bootstrap.STAMP.exists()

    assert bootstrap.main() == 0
    assert capfd.readouterr().out == ""

    (checkout / "requirements.lock").write_text("no-such-folder/\n")
    assert bootstrap.main() == 1
    assert "error: installing the requirements failed" in capfd.readouterr().err
    assert not bootstrap.STAMP.exists()


def test_python_without_venv_is_told_how_to_get_it(checkout, capsys, monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert bootstrap.main() == 1
    assert re.search(r"error: .* lacks its module venv: .*-venv", capsys.readouterr().err)


def test_venv_that_cannot_be_made(checkout, capsys, monkeypatch):
    monkeypatch.setattr(bootstrap, "_run", lambda command: 1)
    assert bootstrap.main() == 1
    assert "making .venv failed" in capsys.readouterr().err


def make(*arguments, cwd, **variables):
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env=child_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_make_shows_its_targets_by_default():
    done = make(cwd=ROOT)
    for name in ("lab", "test", "notebooks", "sabotage", "status", "doctor", "down", "bench"):
        assert f"  make {name} " in done.stdout


@pytest.fixture
def bare_checkout(tmp_path):
    for name in ("Makefile", *bootstrap.INPUTS):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_make_without_a_python_says_so(bare_checkout):
    programs = bare_checkout / "bin"
    programs.mkdir()
    for name in ("make", "sh", "rm"):
        (programs / name).symlink_to(shutil.which(name))
    done = make("up", cwd=bare_checkout, PATH=str(programs))
    assert done.returncode != 0
    assert "error: this needs Python 3.11 or newer" in done.stderr


def test_make_makes_a_venv_that_was_moved_again(bare_checkout):
    # A stamp alone does not count: the Python behind it has to find this checkout.
    (bare_checkout / ".venv").mkdir()
    (bare_checkout / ".venv" / ".ready").touch()
    done = make("--dry-run", "up", cwd=bare_checkout)
    assert "helpers/suite/bootstrap.py" in done.stdout
