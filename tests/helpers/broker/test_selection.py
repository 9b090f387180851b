"""The ways to a broker and their order, with a stand-in for apt-get."""

import os
from pathlib import Path

import pytest

from helpers import broker
from helpers.broker import install, selection
from helpers.broker.decisions import decisions
from helpers.errors import BrokerNotFoundError, BrokerNotReadyError
from helpers.machine import apt as apt_get
from helpers.machine import ports
from helpers.rabbitmq import shared_node
from tests.helpers.broker.conftest import program, reasons


def test_no_way_at_all_names_the_ways(machine, monkeypatch):
    with pytest.raises(BrokerNotFoundError, match=r"package manager; or start Docker .*AMQP_URL="):
        broker.find()
    assert reasons() == {
        "AMQP_URL": "not set",
        "Docker Compose": "there is no docker command",
        "private node": "no rabbitmq-server is installed",
        "apt": "this is not Debian or Ubuntu",
    }
    assert not any(decision.chosen for decision in decisions())


def test_error_on_debian_names_apt(machine, monkeypatch):
    program(machine, "apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr("helpers.machine.paths._holds_foreign_files", lambda folder: False)
    with pytest.raises(BrokerNotFoundError, match="sudo apt-get install rabbitmq-server"):
        broker.find()
    assert reasons()["apt"] == "installing needs root"


def test_error_on_macos_names_homebrew(machine, monkeypatch):
    monkeypatch.setattr(install.platform, "system", lambda: "Darwin")
    with pytest.raises(BrokerNotFoundError, match="brew install rabbitmq"):
        broker.find()


def test_nothing_is_started_when_only_asked(machine):
    with pytest.raises(BrokerNotFoundError, match="make up"):
        broker.find(start=False)


@pytest.fixture
def apt(machine, monkeypatch, tmp_path, shared_broker):
    """Return a function that puts an apt-get there, and what it is told to do."""
    calls = tmp_path / "apt-calls"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shared_node, "start", lambda timeout_s: shared_broker)

    def there(script):
        program(machine, "apt-get", f'echo "$*" >>{calls}\n{script}')
        return lambda: calls.read_text().splitlines()

    return there


def test_apt_installs_without_starting_a_service(apt, shared_broker, capsys):
    calls = apt("exit 0")
    assert broker.find() == shared_broker
    assert [decision.source for decision in decisions() if decision.chosen] == ["apt"]
    assert "Installing Debian's rabbitmq-server with apt-get" in capsys.readouterr().out
    (call,) = calls()
    assert "install -y --no-install-recommends rabbitmq-server" in call


def test_apt_updates_its_lists_when_they_are_empty(apt, shared_broker, tmp_path):
    done = tmp_path / "updated"
    calls = apt(f'case "$*" in *update) touch {done} ;; *) [ -e {done} ] ;; esac')
    assert broker.find() == shared_broker
    assert [call.split()[3] for call in calls()] == ["install", "update", "install"]


def test_apt_that_fails_is_one_error(apt):
    apt('echo "E: Unable to locate package" >&2; exit 100')
    with pytest.raises(BrokerNotFoundError, match=r"failed \(Unable to locate package\); there is"):
        broker.find()


def test_apt_that_hangs_is_one_error(apt, monkeypatch):
    monkeypatch.setattr(apt_get, "APT_TIMEOUT_S", 0.2)
    apt("sleep 5")
    with pytest.raises(BrokerNotFoundError, match=r"took more than 0\.2 s"):
        broker.find()


def test_lock_that_is_never_given_back(machine):
    from helpers.machine.locks import exclusive

    home = Path(os.environ["RABBIT_LAB_HOME"])
    home.mkdir()
    with (
        exclusive(home / "node.lock", timeout_s=1),
        pytest.raises(BrokerNotReadyError, match=r"still holds .*node\.lock"),
        exclusive(home / "node.lock", timeout_s=0.1),
    ):
        pass


def test_remembered_broker_that_stopped_answering_is_looked_for_again(machine, monkeypatch):
    looks = []

    def look(**_):
        looks.append(1)
        raise BrokerNotFoundError("none")

    gone = broker.Broker("amqp://127.0.0.1:1/", "http://127.0.0.1:1", None, "test", "4.3.6", "29")
    monkeypatch.setattr(selection, "_current", gone)
    monkeypatch.setattr(selection, "_search", look)
    assert not ports.port_answers("127.0.0.1", 1)
    assert selection.current() == gone
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert looks == [1]
    assert (gone.generation, gone.user) == ("4.3", "guest")
