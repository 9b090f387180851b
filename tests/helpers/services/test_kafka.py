"""Kafka: what is said without one, what a broker tells about itself, topics that go again."""

import socket
import struct
import threading
import time

import pytest

from helpers import services
from helpers.errors import (
    ServiceMissingError,
    ServiceNotReadyError,
    UsageError,
    WaitTimeoutError,
)
from helpers.machine import docker
from helpers.services import kafka, kafka_wire
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
    assert kafka in install.SERVICES


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
    with pytest.raises(ServiceNotReadyError, match=r"127\.0\.0\.1:1: .*Docker Compose"):
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
        kafka.version()
    assert time.monotonic() - began_s < kafka.ASK_TIMEOUT_S
    assert str(failure.value) == (
        "no Kafka answers at 127.0.0.1:1: Connection refused (KAFKA_BOOTSTRAP)"
    )


def test_a_silent_one_is_not_waited_for_without_end(listener):
    with pytest.raises(ServiceNotReadyError, match="timed out"):
        kafka_wire.features("127.0.0.1", listener(None), timeout_s=0.2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"AMQP\0\0\x09\x01",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">i", 10) + b"\0" * 10,
        struct.pack(">i", 20) + b"\0" * 10,
    ],
)
def test_something_else_answers_there(listener, content):
    with pytest.raises(ServiceNotReadyError, match="is no Kafka without TLS and login"):
        kafka_wire.features("127.0.0.1", listener(content), timeout_s=5)


@pytest.mark.parametrize(
    "given", ["kafka", "kafka:", "http://kafka:9092", "a:1,", ":9092", "a b:1"]
)
def test_what_is_no_address_is_refused(monkeypatch, given):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", given)
    with pytest.raises(UsageError, match="KAFKA_BOOTSTRAP must look like host:9092"):
        kafka.find()


# What a broker says about itself ---------------------------------------------------------------


def answer(*features: tuple[bytes, int], apis: int = 2) -> bytes:
    """Return an answer to ApiVersions as a broker gives it."""
    api = struct.pack(">hhh", 18, 0, 4) + b"\0"
    listed = b"".join(
        bytes([len(name) + 1]) + name + struct.pack(">hh", level, 0) + b"\0"
        for name, level in features
    )
    finalized = bytes([len(features) + 1]) + listed
    epoch = b"\x01\x08" + struct.pack(">q", 7)
    tags = b"\x02" + epoch + b"\x02" + bytes([len(finalized)]) + finalized
    return struct.pack(">ih", 1, 0) + bytes([apis + 1]) + api * apis + b"\0\0\0\0" + tags


FEATURES = ((b"metadata.version", 30), (b"share.version", 1))


def test_features_are_read():
    assert kafka_wire.parse(answer(*FEATURES)) == {"metadata.version": 30, "share.version": 1}
    assert kafka_wire.parse(answer(apis=0)) == {}


@pytest.mark.parametrize("size", range(len(answer(*FEATURES))))
def test_an_answer_that_is_cut_off_is_refused(size):
    with pytest.raises(ValueError, match="cut off"):
        kafka_wire.parse(answer(*FEATURES)[:size])


def test_a_given_one_is_asked_for_its_version(monkeypatch, listener):
    content = answer(*FEATURES)
    port = listener(struct.pack(">i", len(content)) + content)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", f"127.0.0.1:1, 127.0.0.1:{port}")
    found = kafka.find()
    assert repr(found) == "Server(Kafka 4.3, KAFKA_BOOTSTRAP)"
    assert found.has_share_groups


def test_one_without_share_groups_is_refused_before_anything_is_made(monkeypatch, listener):
    content = answer((b"metadata.version", 25))
    port = listener(struct.pack(">i", len(content)) + content)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")
    with (
        pytest.raises(ServiceNotReadyError, match=r"Kafka 4\.0 \(.*\) has no share groups"),
        kafka.topic(partitions=1),
    ):
        pass


@pytest.mark.parametrize(
    ("level", "release"),
    [
        (21, "older than 4.0"),
        (25, "4.0"),
        (27, "4.1"),
        (29, "4.2"),
        (30, "4.3"),
        (31, "4.4"),
        (32, "4.4 or newer"),
    ],
)
def test_the_release_is_that_of_the_features(level, release):
    assert kafka.release({"metadata.version": level}) == release
    assert kafka.release({}) == "older than 4.0"


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
    assert kafka.version().startswith("4.")
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
