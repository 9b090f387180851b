"""The ways to a broker and their order, with stand-ins for docker and apt-get."""

import json
import os
from pathlib import Path

import pytest

from helpers import broker
from helpers.broker import compose, install, scratch, selection, vhosts
from helpers.broker.decisions import decisions
from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError
from helpers.machine import apt as apt_get
from helpers.machine import docker, ports
from helpers.rabbitmq import server, shared_node
from helpers.suite import doctor

NO_ENGINE = """
echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1
"""
# Answers like docker with its compose plugin; what `up` does is the test's.
ENGINE = """
echo "$*" >>"{calls}"
case "$*" in
  version*) echo 28.0 ;;
  "compose version") echo v2 ;;
  *" ps --all "*) {container} ;;
  *" ps "*) {ps} ;;
  inspect*) {killed} ;;
  *" logs "*) {log} ;;
  *" up "*) {up} ;;
  *" port rabbitmq 5672") echo {amqp} ;;
  *" port rabbitmq 15672") echo {management} ;;
  *" port rabbitmq 15692") echo {prometheus} ;;
  *" down") {down} ;;
  *) exit 9 ;;
esac
"""


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a folder of programs that is the whole PATH of a machine without a broker."""
    programs = tmp_path / "bin"
    programs.mkdir()
    home = tmp_path / "home"
    monkeypatch.setenv("PATH", f"{programs}")
    monkeypatch.setenv("RABBIT_LAB_HOME", str(home))
    for name in ("AMQP_URL", "MANAGEMENT_URL", "RABBIT_LAB_DOCKER", "RABBIT_LAB_SERVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(server, "PLACES", ())
    monkeypatch.setattr(apt_get, "POLICY", tmp_path / "policy-rc.d")
    monkeypatch.setattr(selection, "_current", None)
    monkeypatch.setattr(scratch, "_scratch", None)
    return programs


def program(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}")
    path.chmod(0o755)
    return path


@pytest.fixture
def engine(machine, tmp_path, shared_broker):
    """Return a function that puts a docker there, which "starts" the shared broker."""
    calls = tmp_path / "docker-calls"

    def there(**answers):
        chosen = {"ps": ":", "up": ":", "down": ":", "container": ":", "killed": ":", "log": ":"}
        chosen["amqp"] = f"0.0.0.0:{shared_broker.port}"
        chosen["management"] = shared_broker.management_page.removeprefix("http://")
        chosen["prometheus"] = (shared_broker.prometheus_url or "").removeprefix("http://")
        program(machine, "docker", ENGINE.format(calls=calls, **(chosen | answers)))
        return lambda: calls.read_text().splitlines()

    user = {"password": "lab", "tags": "administrator"}
    vhosts.call(shared_broker, "PUT", "users/lab", user)
    vhosts.call(shared_broker, "PUT", "permissions/%2F/lab", vhosts.ALL)
    yield there
    vhosts.call(shared_broker, "DELETE", "users/lab")


def reasons():
    return {decision.source: decision.reason for decision in decisions()}


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


def test_debian_user_is_told_about_apt(machine, monkeypatch):
    program(machine, "apt-get", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr("helpers.machine.paths._holds_foreign_files", lambda folder: False)
    with pytest.raises(BrokerNotFoundError, match="sudo apt-get install rabbitmq-server"):
        broker.find()
    assert reasons()["apt"] == "installing needs root"


def test_macos_user_is_told_about_homebrew(machine, monkeypatch):
    monkeypatch.setattr(install.platform, "system", lambda: "Darwin")
    with pytest.raises(BrokerNotFoundError, match="brew install rabbitmq"):
        broker.find()


def test_nothing_is_started_when_only_asked(machine):
    with pytest.raises(BrokerNotFoundError, match="make up"):
        broker.find(start=False)


def test_docker_without_an_engine_is_passed_over(machine):
    program(machine, "docker", NO_ENGINE)
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert reasons()["Docker Compose"] == (
        "no Docker engine answers"
        " (Cannot connect to the Docker daemon. Is the docker daemon running?)"
    )


def test_docker_can_be_switched_off(engine, monkeypatch):
    engine()
    monkeypatch.setenv("RABBIT_LAB_DOCKER", "off")
    assert docker.why_not() == "RABBIT_LAB_DOCKER is off"


def test_docker_without_compose_is_passed_over(machine):
    program(machine, "docker", '[ "$1" = version ]')
    assert docker.why_not() == "this docker has no `docker compose`"


def test_compose_is_started_found_again_and_stopped(engine, shared_broker, capsys):
    calls = engine()
    found = broker.find()
    assert (found.source, found.host, found.port) == (
        "Docker Compose",
        "127.0.0.1",
        shared_broker.port,
    )
    assert found.prometheus_url == shared_broker.prometheus_url
    assert "Starting RabbitMQ with Docker Compose" in capsys.readouterr().out
    up = next(call for call in calls() if " up " in call)
    assert up.endswith("up --detach --wait rabbitmq")
    assert "--project-name rabbit-lab-" in up

    before = len(calls())
    selection.forget()
    assert broker.find() == found
    assert len(calls()) == before
    assert reasons()["Docker Compose"] == "it is already running"
    assert "user lab, password lab" in doctor.describe(found)

    assert doctor.stop_what_is_ours() == "Stopped: Docker Compose."
    assert calls()[-1].endswith(" down")
    assert compose.running() is None
    assert compose.stop() is False


def test_container_that_ran_before_is_left_alone(engine):
    calls = engine(ps="echo 1234567890ab")
    broker.find()
    assert compose.stop() is False
    assert not any(call.endswith(" down") for call in calls())


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("Error: failed to resolve reference: no such host", "the image cannot be had"),
        ("Error: Bind for 127.0.0.1:5672 failed: port is already allocated", "a port is taken"),
        ("container rabbitmq-1 is unhealthy", "the container did not become healthy"),
        ("something new", "`docker compose up` failed"),
    ],
)
def test_compose_that_fails_is_said_cleared_away_and_passed_over(engine, capsys, says, reason):
    calls = engine(up=f'echo "{says}" >&2; exit 1')
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert reasons()["Docker Compose"] == f"{reason} ({says})"
    assert f"Docker Compose gives no broker: {reason}" in capsys.readouterr().out
    assert calls()[-1].endswith(" down")


def test_what_its_container_says_of_its_end_comes_first(engine):
    log = 'echo "starting"; echo "rabbit-lab: the data are of RabbitMQ 4.3"; echo "bye"'
    engine(up="echo unhealthy >&2; exit 1", container="echo 1234", killed="echo false", log=log)
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert reasons()["Docker Compose"] == "the data are of RabbitMQ 4.3"


def test_container_that_was_killed_for_its_memory_is_told(engine):
    engine(up="echo unhealthy >&2; exit 1", container="echo 1234", killed="echo true")
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert "set RABBITMQ_MEMORY to more" in reasons()["Docker Compose"]


def test_compose_that_fails_beside_other_containers_leaves_them_alone(engine):
    calls = engine(up="exit 1", ps='case "$*" in *running*) ;; *) echo 5678 ;; esac')
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert not any(call.endswith(" down") for call in calls())


def test_service_of_a_profile_is_found_by_its_name_inside_of_the_network(
    monkeypatch, shared_broker
):
    monkeypatch.setenv("RABBIT_LAB_IN_COMPOSE", "1")
    assert docker.address_of("127.0.0.1", shared_broker.port)
    assert docker.address_of("no-such-service.invalid", 5432) is None


def test_compose_that_publishes_no_port_is_passed_over(engine):
    engine(amqp="")
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert "does not publish port 5672" in reasons()["Docker Compose"]


def test_compose_that_takes_too_long_is_passed_over(engine, monkeypatch):
    monkeypatch.setattr(docker, "UP_TIMEOUT_S", 0.2)
    engine(up="sleep 5")
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert "took more than 0.2 s" in reasons()["Docker Compose"]


def test_compose_that_does_not_stop_is_an_error(engine):
    engine(down='echo "permission denied" >&2; exit 1')
    broker.find()
    with pytest.raises(BrokerError, match=r"`docker compose down` failed \(permission denied\)"):
        compose.stop()


@pytest.fixture
def apt(machine, monkeypatch, tmp_path, shared_broker):
    """Return a function that puts an apt-get there, and what it is told to do."""
    calls = tmp_path / "apt-calls"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shared_node, "start", lambda timeout_s: shared_broker)

    def there(script):
        policy = f'echo "$* policy=$(cat {apt_get.POLICY} 2>/dev/null | tail -n 1)" >>{calls}\n'
        program(machine, "apt-get", policy + script)
        return lambda: calls.read_text().splitlines()

    return there


def test_apt_installs_without_starting_a_service(apt, shared_broker, capsys):
    calls = apt("exit 0")
    assert broker.find() == shared_broker
    assert [decision.source for decision in decisions() if decision.chosen] == ["apt"]
    assert "installing Debian's rabbitmq-server with apt-get" in capsys.readouterr().out
    (call,) = calls()
    assert "install -y --no-install-recommends rabbitmq-server" in call
    assert call.endswith("policy=exit 101")
    assert not apt_get.POLICY.exists()


def test_apt_updates_its_lists_when_they_are_empty(apt, shared_broker):
    done = apt_get.POLICY.with_name("updated")
    calls = apt(f'case "$*" in *update) touch {done} ;; *) [ -e {done} ] ;; esac')
    assert broker.find() == shared_broker
    assert [call.split()[3] for call in calls()] == ["install", "update", "install"]


def test_policy_of_the_machine_is_left_as_it_is(apt):
    calls = apt("exit 0")
    apt_get.POLICY.write_text("#!/bin/sh\nexit 7\n")
    broker.find()
    assert calls()[0].endswith("policy=exit 7")
    assert apt_get.POLICY.read_text() == "#!/bin/sh\nexit 7\n"


def test_apt_that_fails_is_one_error(apt):
    apt('echo "E: Unable to locate package" >&2; exit 100')
    with pytest.raises(BrokerNotFoundError, match=r"failed \(Unable to locate package\); there is"):
        broker.find()
    assert not apt_get.POLICY.exists()


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


def test_garbage_in_the_notes_is_no_broker(machine):
    home = Path(os.environ["RABBIT_LAB_HOME"])
    home.mkdir()
    for text in ("{", "[]", json.dumps({"amqp": "127.0.0.1:1"})):
        (home / "compose.json").write_text(text)
        assert compose.running() is None


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
