"""Let a group of workers read a Kafka topic, each in its own thread."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

from helpers.errors import ServiceNotReadyError, UsageError
from helpers.services import kafka
from helpers.waits import wait_until

POLL_S = 0.1
JOIN_S = 30.0  # a new group settles in some seconds; Kafka's own default for a rebalance is more


def read_as_group(
    topic: str,
    handle: Callable[[Any], object],
    *,
    members: int,
    shared: bool,
    count: int,
    timeout_s: float = JOIN_S,
) -> list[tuple[int, str]]:
    """Let a group work on the records of a topic; the next call continues where it stopped.

    Each member takes one record at a time, and commits its progress when it leaves.

    Args:
        topic: of `kafka.topic`; the group has its name.
        handle: works on one record, in the member's thread.
        members: how many there are, at least 1.
        shared: True for a share group, whose members share the records of each partition; False
            for a consumer group, in which each partition belongs to one member.
        count: how many records are to be worked on, repeated ones counted once; 0 for none.
        timeout_s: deadline in seconds, including the time until the group has its partitions.

    Returns:
        Partition and value of each record, in the order in which the work on them ended.

    Raises:
        ServiceNotReadyError: Kafka reports an error to a member, or has no share groups.
        UsageError: ``members`` is below 1, or ``count`` below 0.
        WaitTimeoutError: fewer records by the deadline.

    Source: Kafka documentation, "Consumer groups" and "Share groups" (4.2 and newer).
    """
    if members < 1 or count < 0:
        raise UsageError(f"members must be at least 1 and count 0, not {members} and {count}")
    if count == 0:
        return []
    settings, over = kafka.settings() | {"group.id": topic}, threading.Event()
    done: list[tuple[int, str]] = []
    places: set[tuple[int, int]] = set()

    def work() -> None:
        consumer, take = _member(settings, shared=shared)
        with closing(consumer):
            consumer.subscribe([topic])
            while not over.is_set():
                with kafka.explained():
                    records = take(timeout=POLL_S)
                for record in records:
                    if record.error():
                        raise ServiceNotReadyError(f"{kafka.NAME} reports {record.error().str()}")
                    handle(record)
                    done.append((record.partition(), record.value().decode()))
                    places.add((record.partition(), record.offset()))

    with ThreadPoolExecutor(members) as team:
        jobs = [team.submit(work) for _ in range(members)]
        try:
            wait_until(
                lambda: len(places) >= count or any(job.done() for job in jobs),
                timeout_s=timeout_s, what=f"{count} records of {topic!r}", every_s=0.01,
            )  # fmt: skip
        finally:
            over.set()
    for job in jobs:
        job.result()  # raises what its member raised
    return done


def _member(settings: dict[str, Any], *, shared: bool) -> tuple[Any, Callable[..., Any]]:
    import confluent_kafka

    if shared:
        sharing = confluent_kafka.ShareConsumer(settings | {"max.poll.records": 1})
        return sharing, sharing.poll
    alone = confluent_kafka.Consumer(settings | {"auto.offset.reset": "earliest"})
    return alone, partial(alone.consume, 1)
