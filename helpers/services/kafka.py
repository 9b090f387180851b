"""A Kafka that runs already: the one of ``KAFKA_BOOTSTRAP``, else that of Docker Compose."""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.errors import ServiceMissingError, ServiceNotReadyError, UsageError
from helpers.machine import addresses, docker
from helpers.machine.ports import port_answers
from helpers.services.private import switched_off
from helpers.waits import wait_until

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

NAME = "Kafka"
PACKAGE = ""  # Debian has none
COMPOSE_SERVICE = "kafka"
# The listeners of docker-compose.yml; each sends its clients back to its own address.
HOST_PORT, CONTAINER_PORT = 9092, 19092
PROFILE = f"docker compose --profile kafka up --detach --wait {COMPOSE_SERVICE}"
ASK_TIMEOUT_S = 5.0
ADMIN_TIMEOUT_S = 15.0
SHARE_TIMEOUT_S = 1.0  # a refusal comes within hundredths of a second
NO_SHARE_GROUPS = "take 4.2 or newer"
KEPT_MS = 3_600_000  # for topics that a killed process leaves
ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Server:
    """A Kafka that answers; ``source`` says where its address comes from."""

    bootstrap: str
    source: str

    def __repr__(self) -> str:
        """Return one line."""
        return f"Server({NAME}, {self.source})"


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is.

    Whether the Kafka of ``KAFKA_BOOTSTRAP`` answers is not tested here, but by `find`.
    """
    if reason := switched_off():
        return f"{NAME} is not used: {reason}."
    if addresses.given("KAFKA_BOOTSTRAP") or _of_compose() is not None:
        return None
    return f"There is no {NAME} here: `{PROFILE}` starts one, or set KAFKA_BOOTSTRAP=host:port."


def find() -> Server:
    """Return the Kafka that is used: ``KAFKA_BOOTSTRAP``, else the Compose profile ``kafka``.

    Raises:
        ServiceMissingError: there is none; see ``missing``.
        ServiceNotReadyError: it does not answer, or not as a Kafka.
        UsageError: ``KAFKA_BOOTSTRAP`` is no list of addresses.
    """
    if reason := switched_off():
        raise ServiceMissingError(f"{NAME} is not used: {reason}.")
    if given := addresses.given("KAFKA_BOOTSTRAP"):
        return _look(given, "KAFKA_BOOTSTRAP")
    if address := _of_compose():
        return _look(address, docker.SOURCE)
    raise ServiceMissingError(str(missing()))


def bootstrap() -> str:
    """Return the value of ``bootstrap.servers`` for clients; see `find`."""
    return find().bootstrap


def settings() -> dict[str, Any]:
    """Return the settings of every client: Kafka's address, and no log; see `find`.

    Source: librdkafka, "Configuration properties".
    """
    return {"bootstrap.servers": bootstrap(), "log_level": 0}


def version() -> str:
    """Return "": Kafka's clients do not learn the version of a server."""
    return ""


def describe() -> str:
    """Return where it is, for ``status`` and the doctor; see `find`."""
    found = find()
    shares = "" if has_share_groups() else f", without share groups: {NO_SHARE_GROUPS}"
    return f"is up ({found.source}){shares}"


def is_running() -> bool:
    """Return False: this checkout starts no Kafka."""
    return False


def stop() -> str | None:
    """Return None: this checkout starts no Kafka."""
    return None


def has_share_groups() -> bool:
    """Return whether a share consumer can join a group; that takes a second. See `find`."""
    from confluent_kafka import ShareConsumer

    group = f"rabbit-lab-{uuid.uuid4().hex[:8]}"
    with closing(ShareConsumer(settings() | {"group.id": group})) as consumer:
        consumer.subscribe([group])  # no such topic
        try:
            with explained():
                consumer.poll(timeout=SHARE_TIMEOUT_S)
        except ServiceNotReadyError:
            return False
    return True


@contextmanager
def explained() -> Iterator[None]:
    """Raise an exception of Kafka's client in the block as one sentence.

    Raises:
        ServiceNotReadyError: Kafka reports an error, or has no share groups.
    """
    from confluent_kafka import KafkaError, KafkaException

    try:
        yield
    except KafkaException as failure:
        error = failure.args[0]
        if error.code() == KafkaError.UNSUPPORTED_VERSION:
            raise ServiceNotReadyError(f"{NAME} has no share groups: {NO_SHARE_GROUPS}") from None
        raise ServiceNotReadyError(f"{NAME} reports {error.str()}") from None


@contextmanager
def topic(*, partitions: int) -> Iterator[str]:
    """Make a topic for the time of a ``with`` block; the groups that read it have its name.

    Args:
        partitions: how many it begins with, at least 1.

    Yields:
        Its name. A share group of that name begins with the first record, not with the next; a
        consumer group decides that by ``auto.offset.reset``.

    Raises:
        ServiceMissingError: there is no Kafka; see ``missing``.
        ServiceNotReadyError: it does not answer, or refuses.
        UsageError: ``partitions`` is below 1.

    Source: Kafka documentation, "Group Configs: share.auto.offset.reset".
    """
    from confluent_kafka.admin import NewTopic

    if partitions < 1:
        raise UsageError(f"partitions must be at least 1, not {partitions}")
    admin, name = _admin(find()), f"rabbit-lab-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    new = NewTopic(name, partitions, 1, config={"retention.ms": str(KEPT_MS)})
    _result(admin.create_topics([new]))
    try:
        wait_until(
            lambda: _partitions(admin, name) == partitions,
            timeout_s=ADMIN_TIMEOUT_S, what="the new topic",
        )  # fmt: skip
        _result(admin.incremental_alter_configs([_from_the_first_record(name)]))
        yield name
    finally:
        with suppress(ServiceNotReadyError):  # there may be no such group
            _result(admin.delete_consumer_groups([name]))
        with suppress(ServiceNotReadyError):  # an error of the block says more
            _result(admin.delete_topics([name]))


def add_partitions(name: str, *, total: int) -> None:
    """Give a topic more partitions, and wait until clients see them.

    Args:
        name: the topic.
        total: how many it has afterwards; more than now.

    Raises:
        ServiceMissingError: there is no Kafka; see ``missing``.
        ServiceNotReadyError: it refuses, or does not answer in time.
    """
    from confluent_kafka.admin import NewPartitions

    admin = _admin(find())
    _result(admin.create_partitions([NewPartitions(name, total)]))
    wait_until(
        lambda: _partitions(admin, name) == total,
        timeout_s=ADMIN_TIMEOUT_S, what=f"{total} partitions",
    )  # fmt: skip


def _of_compose() -> str | None:
    inside = os.environ.get("RABBIT_LAB_IN_COMPOSE")
    return docker.address_of(COMPOSE_SERVICE, CONTAINER_PORT if inside else HOST_PORT)


def _look(given: str, source: str) -> Server:
    from confluent_kafka import KafkaException

    parts = [ADDRESS.fullmatch(part.strip()) for part in given.split(",")]
    if not all(parts):
        raise UsageError(f"{source} must look like host:9092 or host1:9092,host2:9092")
    # The client retries a refused connection until its time is up.
    places = [(match["host"].strip("[]"), int(match["port"])) for match in parts if match]
    if not any(port_answers(host, port, timeout_s=ASK_TIMEOUT_S) for host, port in places):
        raise ServiceNotReadyError(f"no {NAME} answers at {given} ({source})")
    server = Server(given, source)
    try:
        _admin(server).list_topics(timeout=ASK_TIMEOUT_S)
    except KafkaException:
        raise ServiceNotReadyError(
            f"the server at {given} does not answer as a {NAME} without TLS and login ({source})"
        ) from None
    return server


def _admin(server: Server) -> "AdminClient":
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": server.bootstrap, "log_level": 0})


def _partitions(admin: "AdminClient", name: str) -> int:
    known = admin.list_topics(name, timeout=ADMIN_TIMEOUT_S).topics[name]
    return 0 if known.error else len(known.partitions)


def _from_the_first_record(group: str) -> Any:
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    operation = AlterConfigOpType.SET
    entry = ConfigEntry("share.auto.offset.reset", "earliest", incremental_operation=operation)
    return ConfigResource(ResourceType.GROUP, group, incremental_configs=[entry])


def _result(futures: dict[Any, Any]) -> None:
    from confluent_kafka import KafkaException

    for future in futures.values():
        try:
            future.result(ADMIN_TIMEOUT_S)
        except KafkaException as error:
            raise ServiceNotReadyError(f"{NAME} refuses: {error.args[0].str()}") from None
        except TimeoutError:
            raise ServiceNotReadyError(
                f"{NAME} did not answer within {ADMIN_TIMEOUT_S:g} s"
            ) from None
