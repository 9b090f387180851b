"""A class on one broker: what a learner may do there, and that it is enough for the notebooks."""

import json
import re

import pika
import pytest

from helpers.broker import assigned_vhosts, vhosts
from helpers.classroom import seats
from helpers.errors import BrokerRefusedError, UsageError
from helpers.machine.paths import ROOT
from helpers.rabbitmq import management, model, ready
from labs.judge.instructor import handout
from tests.conftest import child_environment, run_python

PASSWORDS = {"JUPYTERHUB_PASSWORD": "hares and tortoises", "JUPYTERHUB_ADMIN_PASSWORD": "x" * 32}
BROKER = {"AMQP_URL": "amqp://broker:5672/%2F", "MANAGEMENT_URL": "http://broker:15672"}
ONE, OTHER = "test-one", "test-other"
LEARNER = """
import os
from helpers import broker, metrics
print(broker.open_vhost("q02"))
channel = broker.clean_channel()
channel.queue_declare("mine", durable=True)
channel.basic_publish("", "mine", b"x")
policy = {"pattern": "^mine$", "apply-to": "queues", "definition": {"max-length": 9}}
broker.api("PUT", "policies/{vhost}/short", policy)
with_consumer = broker.connect().channel()
with_consumer.basic_consume("mine", print)
metrics.wait_for_consumers("mine", 1, timeout_s=10)
second = broker.clean_channel()
print(broker.api("GET", "queues/{vhost}"), broker.api("GET", "policies/{vhost}"))
second.queue_declare("left behind", durable=True)
"""
TAKE_AND_WAIT = "from helpers import broker; print(broker.vhost(), flush=True); input()"


@pytest.fixture
def room(shared_broker):
    user = {"password": PASSWORDS["JUPYTERHUB_ADMIN_PASSWORD"], "tags": "administrator"}
    vhosts.call(shared_broker, "PUT", f"users/{seats.INSTRUCTOR}", user)
    address = f"{shared_broker.host}:{shared_broker.port}"
    yield seats.Classroom(
        f"amqp://{address}/%2F", shared_broker.management_page, *PASSWORDS.values()
    )
    vhosts.call(shared_broker, "DELETE", f"users/{seats.INSTRUCTOR}")


@pytest.fixture
def places(room):
    yield {name: seats.open_seat(room, name) for name in (ONE, OTHER)}
    for name in (ONE, OTHER):
        seats.close_seat(room, name)


def run_as_learner(code, seat, home):
    return run_python("-c", code, environment=child_environment(**seat, RABBIT_LAB_HOME=str(home)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"JUPYTERHUB_PASSWORD": ""}, "JUPYTERHUB_PASSWORD is not set: choose the password of the"),
        ({"JUPYTERHUB_ADMIN_PASSWORD": ""}, "JUPYTERHUB_ADMIN_PASSWORD is not set"),
        ({"JUPYTERHUB_PASSWORD": "short"}, "has 5 characters: it takes 8 or more"),
        ({"JUPYTERHUB_ADMIN_PASSWORD": "y" * 31}, "has 31 characters: it takes 32 or more"),
        ({"JUPYTERHUB_PASSWORD": "x" * 32}, "learners would be administrators"),
        ({"AMQP_URL": ""}, "AMQP_URL is not set"),
        ({"AMQP_URL": "http://broker"}, "AMQP_URL has to look like"),
        ({"MANAGEMENT_URL": ""}, "MANAGEMENT_URL is not set"),
    ],
)
def test_settings_that_make_no_class(changes, words):
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        seats.settings(PASSWORDS | BROKER | changes)
    assert "\n" not in str(refused.value)


def test_settings():
    room = seats.settings(PASSWORDS | BROKER)
    assert room.password == PASSWORDS["JUPYTERHUB_PASSWORD"]
    assert PASSWORDS["JUPYTERHUB_ADMIN_PASSWORD"] not in repr(room)


@pytest.mark.parametrize("name", ["", "Anna", "1a", "a" * 21, "a.1", "../x", "a b"])
def test_names_that_are_not_allowed(name):
    with pytest.raises(UsageError, match="a learner cannot be called"):
        seats.vhosts_of(name)


def test_broker_that_knows_another_password(room):
    with pytest.raises(BrokerRefusedError, match="made with another one; set that, or remove"):
        seats.check(seats.Classroom(room.amqp_url, room.management_url, "x", "z" * 32))


def test_broker_that_was_started_before_there_was_a_password(room, shared_broker):
    user = {"password": seats.NEW, "tags": "administrator"}
    vhosts.call(shared_broker, "PUT", f"users/{seats.INSTRUCTOR}", user)
    if shared_broker.generation.startswith("3"):
        with pytest.raises(BrokerRefusedError, match=r"a class needs 4\.0 or newer"):
            seats.check(room)
    else:
        assert seats.check(room) == shared_broker.version
    login = (seats.INSTRUCTOR, seats.NEW)
    with pytest.raises(management.ManagementApiError, match="refused user"):
        management.call(room.management_url, login, "GET", "whoami")


def needs_a_class(shared_broker):
    if shared_broker.generation.startswith("3"):
        pytest.skip("RabbitMQ 3 lets no learner close its own connections")


def test_learner_runs_what_notebooks_do_and_leaves_nothing(shared_broker, room, places, tmp_path):
    needs_a_class(shared_broker)
    for _ in range(2):  # the second finds what the first left
        done = run_as_learner(LEARNER, places[ONE], tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[1:] == ["class-test-one.1", "[] []"]
    assert seats.seats(room) == {ONE: 0, OTHER: 0}
    assert not list(tmp_path.glob("leases/*"))


def test_vhost_of_a_killed_notebook_is_emptied_for_the_next(shared_broker, room, places, tmp_path):
    needs_a_class(shared_broker)
    killed = LEARNER + "\nimport signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_as_learner(killed, places[ONE], tmp_path).returncode == -9
    assert seats.seats(room)[ONE] == 1
    shows = "from helpers import broker; print(broker.vhost(), broker.api('GET', 'queues/{vhost}'))"
    done = run_as_learner(shows, places[ONE], tmp_path)
    assert done.stdout.strip() == "class-test-one.1 []", done.stderr


def test_one_notebook_too_many(shared_broker, places, tmp_path, start_python):
    needs_a_class(shared_broker)
    environment = child_environment(**places[ONE], RABBIT_LAB_HOME=str(tmp_path))
    children = [start_python(TAKE_AND_WAIT, environment) for _ in range(seats.SPARES)]
    taken = {child.stdout.readline().strip() for child in children}
    assert taken == set(places[ONE][assigned_vhosts.VARIABLE].split(","))
    refused = run_as_learner(TAKE_AND_WAIT, places[ONE], tmp_path)
    assert "all 5 vhosts that you were given are in use" in refused.stderr


def test_learners_cannot_reach_vhosts_of_others(room, places, shared_broker):
    needs_a_class(shared_broker)
    theirs = seats.vhosts_of(OTHER)
    with ready.open_connection(pika.URLParameters(places[OTHER]["AMQP_URL"])) as connection:
        connection.channel().queue_declare("secret", durable=True)
        login = model.credentials(places[ONE]["AMQP_URL"])
        for user in seats.vhosts_of(ONE):
            for vhost in theirs:
                wanted = pika.URLParameters(places[ONE]["AMQP_URL"])
                wanted.credentials = pika.PlainCredentials(user, login[1])
                wanted.virtual_host = vhost
                with pytest.raises(BrokerRefusedError, match="refused user"):
                    ready.open_connection(wanted)
            for path in ("vhosts", "queues", "connections", "consumers", "exchanges", "bindings"):
                seen = management.call(room.management_url, (user, login[1]), "GET", path)
                assert OTHER not in json.dumps(seen), path
                assert path != "vhosts" or [vhost["name"] for vhost in seen] == [user]
            for method, path, body in (
                ("GET", f"queues/{theirs[0]}", None),
                ("GET", f"queues/{theirs[0]}/secret", None),
                ("DELETE", f"queues/{theirs[0]}/secret", None),
                ("PUT", f"policies/{theirs[0]}/p", {"pattern": "", "definition": {"expires": 1}}),
                ("PUT", f"vhost-limits/{user}/max-queues", {"value": 9999}),
                ("PUT", f"permissions/{theirs[0]}/{user}", {}),
                ("GET", "users", None),
                ("GET", "definitions", None),
            ):
                with pytest.raises(management.ManagementApiError) as refused:
                    management.call(room.management_url, (user, login[1]), method, path, body)
                assert refused.value.status in (401, 404), path


def test_limits_hold(places):
    connection = ready.open_connection(pika.URLParameters(places[ONE]["AMQP_URL"]))
    channel = connection.channel()
    with pytest.raises(pika.exceptions.AMQPError, match="queue limit"):
        for number in range(seats.LIMITS["max-queues"] + 1):
            channel.queue_declare(f"q{number}", durable=True)
    assert number == seats.LIMITS["max-queues"]


def test_another_start_keeps_messages_and_makes_the_old_password_useless(room, places):
    before = pika.URLParameters(places[ONE]["AMQP_URL"])
    with ready.open_connection(before) as connection:
        connection.channel().queue_declare("kept", durable=True)
    again = seats.open_seat(room, ONE)
    with ready.open_connection(pika.URLParameters(again["AMQP_URL"])) as connection:
        connection.channel().queue_declare("kept", passive=True)
    with pytest.raises(BrokerRefusedError, match="check user and password"):
        ready.open_connection(before)


def test_instructors_commands(room, places, capsys, monkeypatch):
    for name, value in (PASSWORDS | {"AMQP_URL": room.amqp_url}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MANAGEMENT_URL", room.management_url)
    assert seats.main(["list"]) == 0
    assert seats.main(["remove", ONE]) == 0
    assert seats.main(["remove"]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{ONE}: 0 queues\n{OTHER}: 0 queues\nremoved the vhosts of")
    assert printed.err == "error: name the learners to remove, or say --all\n"
    assert seats.seats(room) == {OTHER: 0}
    assert seats.main(["remove", "--all"]) == 0
    assert seats.seats(room) == {}
    left = {user["name"] for user in room.call("GET", "users")}
    assert not {*seats.vhosts_of(ONE), *seats.vhosts_of(OTHER)} & left


def test_vhost_that_is_not_given(shared_broker, places, tmp_path):
    seat = places[ONE] | {assigned_vhosts.VARIABLE: "class-test-other.1"}
    done = run_as_learner("from helpers import broker; broker.vhost()", seat, tmp_path)
    assert "'class-test-other.1' cannot use the vhost of that name" in done.stderr


def test_error_without_assigned_vhosts_names_the_variable(shared_broker, places, tmp_path):
    seat = places[ONE] | {assigned_vhosts.VARIABLE: None}
    done = run_as_learner("from helpers import broker; broker.vhost()", seat, tmp_path)
    assert f"named in {assigned_vhosts.VARIABLE}" in done.stderr


def test_image_that_learners_can_read_has_no_solution():
    lines = (ROOT / "docker/classroom/Dockerfile.dockerignore").read_text().splitlines()
    left_out = [line for line in lines if line.startswith("labs/")]
    solutions = [
        path.relative_to(ROOT)
        for path in (ROOT / "labs").glob("lab*/**/*")
        if path.is_file() and handout.is_instructors(path.relative_to(ROOT))
    ]
    assert len(solutions) > 10
    for path in solutions:
        assert any(part.match(line) for line in left_out for part in (path, *path.parents)), path
