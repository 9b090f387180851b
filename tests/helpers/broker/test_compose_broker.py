"""A broker by Docker Compose, with a stand-in for docker."""

import json
import os
from pathlib import Path

import pytest

from helpers import broker
from helpers.broker import compose, selection, vhosts
from helpers.errors import BrokerError, BrokerNotFoundError
from helpers.machine import docker
from helpers.suite import doctor
from tests.helpers.broker.conftest import program, reasons

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
def test_compose_that_fails_is_reported_removed_and_skipped(engine, capsys, says, reason):
    calls = engine(up=f'echo "{says}" >&2; exit 1')
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert reasons()["Docker Compose"] == f"{reason} ({says})"
    assert f"Docker Compose gives no broker: {reason}" in capsys.readouterr().out
    assert calls()[-1].endswith(" down")


def test_reason_from_the_container_comes_first(engine):
    log = 'echo "starting"; echo "rabbit-lab: the data are of RabbitMQ 4.3"; echo "bye"'
    engine(up="echo unhealthy >&2; exit 1", container="echo 1234", killed="echo false", log=log)
    with pytest.raises(BrokerNotFoundError):
        broker.find()
    assert reasons()["Docker Compose"] == "the data are of RabbitMQ 4.3"


def test_container_that_was_killed_for_its_memory_is_reported(engine):
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


def test_garbage_in_the_notes_is_no_broker(machine):
    home = Path(os.environ["RABBIT_LAB_HOME"])
    home.mkdir()
    for text in ("{", "[]", json.dumps({"amqp": "127.0.0.1:1"})):
        (home / "compose.json").write_text(text)
        assert compose.running() is None
