"""Kafka: how its absence is explained, share groups, topics for the time of a block."""

import socket
import threading
import time

import pytest
from confluent_kafka import KafkaError, KafkaException

from helpers import services
from helpers.errors import (
    ServiceMissingError,
    ServiceNotReadyError,
    UsageError,
    WaitTimeoutError,
)
from helpers.machine import docker
from helpers.services import kafka
from helpers.services.kafka_group import read_as_group
from helpers.suite import install

needs_kafka = pytest.mark.skipif(kafka.missing() is not None, reason=str(kafka.missing()))


@pytest.fixture
def nowhere(monkeypatch):
    """Have no Kafka for the time of a test."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("RABBIT_LAB_SERVICES", raising=False)
    monkeypatch.setattr(docker, "address_of", lambda service, port: None)


# Without one -------------------------------------------------------------------------------------


def test_without_one_it_says_how_to_get_one(nowhere):
    said = kafka.missing()
    assert said == (
        "There is no Kafka here: `docker compose --profile kafka up --detach --wait kafka` starts"
        " one, or set KAFKA_BOOTSTRAP=host:port."
    )
    assert services.missing(["experiment", "needs-kafka"]) == said
    with pytest.raises(ServiceMissingError) as failure:
        kafka.bootstrap()
    assert str(failure.value) == said
    assert kafka in install.SERVICES.values()


def test_switched_off(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert kafka.missing() == "Kafka is not used: RABBIT_LAB_SERVICES is off."
    with pytest.raises(ServiceMissingError, match="RABBIT_LAB_SERVICES is off"):
        kafka.find()


@pytest.mark.parametrize(("inside", "port"), [(None, 9092), ("1", 19092)])
def test_the_one_of_compose_is_asked_for_by_the_listener_that_leads_back(
    nowhere, monkeypatch, inside, port
):
    asked = []
    monkeypatch.delenv("RABBIT_LAB_IN_COMPOSE", raising=False)
    if inside:
        monkeypatch.setenv("RABBIT_LAB_IN_COMPOSE", inside)
    monkeypatch.setattr(docker, "address_of", lambda *what: asked.append(what) or "127.0.0.1:1")
    assert kafka.missing() is None
    assert asked == [("kafka", port)]
    with pytest.raises(ServiceNotReadyError, match=r"127\.0\.0\.1:1 .*Docker Compose"):
        kafka.find()


# One that is given and does not work -----------------------------------------------------------


@pytest.fixture
def listener():
    """Yield a function that answers the next connection with bytes and returns its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(content: bytes | None) -> int:
            def serve():
                link, _ = server.accept()
                with link:
                    link.recv(1000)
                    if content is None:
                        link.recv(1)  # silent, until the other side gives up
                    else:
                        link.sendall(content)

            threading.Thread(target=serve, daemon=True).start()
            return server.getsockname()[1]

        yield answer


def test_nothing_answers_there(monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert kafka.missing() is None
    began_s = time.monotonic()
    with pytest.raises(ServiceNotReadyError) as failure:
        kafka.bootstrap()
    assert time.monotonic() - began_s < kafka.ASK_TIMEOUT_S
    assert str(failure.value) == "no Kafka answers at 127.0.0.1:1 (KAFKA_BOOTSTRAP)"


@pytest.mark.parametrize(
    "content",
    [None, b"", b"AMQP\0\0\x09\x01", b"HTTP/1.1 400 Bad Request\r\n\r\n"],
)
def test_something_else_answers_there_or_is_silent(monkeypatch, listener, content):
    monkeypatch.setattr(kafka, "ASK_TIMEOUT_S", 0.5)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", f"127.0.0.1:1,127.0.0.1:{listener(content)}")
    began_s = time.monotonic()
    with pytest.raises(ServiceNotReadyError, match="not answer as a Kafka without TLS and login"):
        kafka.find()
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize(
    "given", ["kafka", "kafka:", "http://kafka:9092", "a:1,", ":9092", "a b:1"]
)
def test_what_is_no_address_is_refused(monkeypatch, given):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", given)
    with pytest.raises(UsageError, match="KAFKA_BOOTSTRAP must look like host:9092"):
        kafka.find()


# Share groups ------------------------------------------------------------------------------------


class Refused:
    """A share consumer of a Kafka without share groups: its first poll raises this error."""

    def __init__(self, settings):
        self.settings = settings

    def subscribe(self, topics):
        pass

    def poll(self, *, timeout):
        raise KafkaException(KafkaError(KafkaError.UNSUPPORTED_VERSION, "fatal error"))

    def close(self):
        pass


@pytest.fixture
def old_kafka(monkeypatch):
    """Let the Kafka that is found have no share groups."""
    monkeypatch.setattr(kafka, "find", lambda: kafka.Server("127.0.0.1:1", "test"))
    monkeypatch.setattr("confluent_kafka.ShareConsumer", Refused)


def test_one_without_share_groups_says_so(old_kafka):
    assert not kafka.has_share_groups()
    assert kafka.describe() == "is up (test), without share groups: take 4.2 or newer"
    with pytest.raises(ServiceNotReadyError, match=r"^Kafka has no share groups: take 4\.2 or"):
        read_as_group("topic", print, members=1, shared=True, count=1)


def test_other_errors_of_the_client_are_one_sentence():
    with (
        pytest.raises(ServiceNotReadyError, match="Kafka reports it is broken"),
        kafka.explained(),
    ):
        raise KafkaException(KafkaError(KafkaError.UNKNOWN, "it is broken"))


def test_a_topic_needs_a_partition():
    with pytest.raises(UsageError, match="at least 1, not 0"), kafka.topic(partitions=0):
        pass


# On a real one ------------------------------------------------------------------------------------


@needs_kafka
def test_a_topic_grows_and_goes_with_its_block():
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": kafka.bootstrap()})
    with kafka.topic(partitions=2) as name:
        assert len(admin.list_topics(timeout=10).topics[name].partitions) == 2
        kafka.add_partitions(name, total=3)
        assert len(admin.list_topics(timeout=10).topics[name].partitions) == 3
        with pytest.raises(ServiceNotReadyError, match=r"Kafka refuses: .*partition"):
            kafka.add_partitions(name, total=1)
    assert name not in admin.list_topics(timeout=10).topics
    assert repr(kafka.find()).startswith("Server(Kafka, ")
    assert kafka.has_share_groups()
    assert "share groups" not in kafka.describe()


def send(topic, *values):
    import confluent_kafka

    producer = confluent_kafka.Producer(kafka.settings())
    for value in values:
        producer.produce(topic, value=value)
        producer.flush(10)


@needs_kafka
@pytest.mark.parametrize("shared", [False, True], ids=["consumer group", "share group"])
def test_a_group_goes_on_where_it_ended(shared):
    seen = []
    with kafka.topic(partitions=1) as topic:
        send(topic, "a", "b")
        choices = {"members": 2, "shared": shared}
        first = read_as_group(topic, lambda r: seen.append(r.value()), count=2, **choices)
        send(topic, "c")
        then = read_as_group(topic, lambda r: seen.append(r.value()), count=1, **choices)
    assert sorted(first) == [(0, "a"), (0, "b")]
    assert then == [(0, "c")]
    assert sorted(seen) == [b"a", b"b", b"c"]


@needs_kafka
def test_what_a_member_raises_is_raised_here_and_records_that_never_come_are_not_awaited():
    with kafka.topic(partitions=1) as topic:
        send(topic, "a")
        with pytest.raises(ValueError, match="invalid literal"):
            read_as_group(topic, lambda r: int(r.value()), members=1, shared=False, count=1)
        with pytest.raises(WaitTimeoutError, match="2 records of"):
            read_as_group(topic, print, members=1, shared=False, count=2, timeout_s=0.5)


@pytest.mark.parametrize(("members", "count"), [(0, 1), (1, -1)])
def test_a_group_without_members_or_with_less_than_nothing_to_do(members, count):
    with pytest.raises(UsageError, match="members must be at least 1 and count 0"):
        read_as_group("topic", print, members=members, shared=False, count=count)


def test_nothing_to_do_needs_no_kafka(nowhere):
    assert read_as_group("topic", print, members=1, shared=False, count=0) == []
