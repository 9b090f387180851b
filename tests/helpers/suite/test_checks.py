"""What ``make test`` runs, in which order, and how it ends."""

import signal
import threading

import pytest

from helpers import __main__ as command_line
from helpers import broker
from helpers.errors import BrokerNotReadyError
from helpers.services import postgresql
from helpers.suite import checks


@pytest.fixture
def phases(monkeypatch, tmp_path, shared_broker):
    """Replace what the suite runs by tiny programs that end with a chosen code."""
    # With another home, the suite never stops a PostgreSQL that another test has just started. The
    # shared broker is found before, so that no second one is started there.
    assert broker.find() == shared_broker
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))

    def choose(*, lint=0, together=0, alone=0, twice=0, slow=0):
        def ends(code):
            return ("-c", f"raise SystemExit({code})")

        monkeypatch.setattr(checks, "LINT", (("lint one", ends(lint)), ("lint two", ends(0))))
        monkeypatch.setattr(checks, "TOGETHER", ends(together))
        monkeypatch.setattr(checks, "ALONE", ends(alone))
        monkeypatch.setattr(checks, "TWICE", ends(twice))
        monkeypatch.setattr(checks, "SLOW", ends(slow))
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
    missing = sum(service.missing() is not None for service in checks.SERVICES.values())
    assert missing >= 4
    assert results[3].endswith(f"{missing} missing: their cells are skipped")
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


def test_slow_tests_are_a_run_of_their_own(phases, capfd):
    phases(lint=1, slow=0)
    assert command_line.main(["test-slow"]) == 0
    names = [line.partition("  ")[0] for line in summary(capfd)[:-1]]
    assert names == ["broker", "services", "every cell twice", "slow tests"]
    phases(slow=3)
    assert checks.slow() == 1
    assert summary(capfd)[-1].startswith("failed: slow tests in ")


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
