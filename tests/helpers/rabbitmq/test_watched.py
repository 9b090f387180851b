"""A broker that has stopped answering is named within 30 s, and a reader's pause is not one."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pika
import pytest

from helpers import broker
from helpers.rabbitmq import server, watched
from helpers.rabbitmq.ready import DEFAULTS
from helpers.rabbitmq.watched import StoppedAnsweringError
from helpers.waits import wait_until

needs_server = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
PROMISED_S = 30.0


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        # Its threads stop one after the other; the last may still confirm a publish.
        wait_until(lambda: states(pid) == {"T"}, timeout_s=30, what="all threads to stop")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def states(pid: int) -> set[str]:
    """Return the states of a process's threads, such as S for sleeping and T for stopped."""
    stats = (task / "stat" for task in Path(f"/proc/{pid}/task").iterdir())
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}


def test_silence_is_longer_than_a_beat_and_shorter_than_promised():
    assert DEFAULTS["heartbeat"] <= watched.LONGEST_HEARTBEAT_S
    assert 1.5 * watched.LONGEST_HEARTBEAT_S / 2 < watched.SILENCE_S
    assert watched.SILENCE_S + 2 * watched.LOOK_EVERY_S < PROMISED_S


@pytest.mark.slow
@needs_server
def test_a_stopped_broker_is_named(monkeypatch):
    monkeypatch.setattr(watched, "SILENCE_S", 2.0)
    with broker.disposable() as node, node.connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        # A pause is no silence: the looks are counted while pika waits for the broker.
        time.sleep(watched.SILENCE_S + 2 * watched.LOOK_EVERY_S)
        channel.basic_publish("", "", b"1")
        expected = f"the broker at 127.0.0.1:{node.broker.port} has stopped answering"
        with stopped(node.pid), pytest.raises(StoppedAnsweringError, match=expected) as caught:
            channel.basic_publish("", "", b"2")
        assert isinstance(caught.value, pika.exceptions.AMQPHeartbeatTimeout)
        assert connection.is_closed


@needs_server
@pytest.mark.slow
def test_a_silent_broker_whose_heartbeats_come_is_none(monkeypatch):
    monkeypatch.setattr(watched, "SILENCE_S", 4.0)
    with broker.disposable() as node, node.connect(heartbeat=4) as connection:
        connection.process_data_events(time_limit=3 * watched.SILENCE_S)
        assert connection.is_open


@needs_server
@pytest.mark.slow
def test_a_publish_to_a_stopped_broker_fails_as_soon_as_promised():
    with broker.disposable() as node, node.connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        began_s = time.monotonic()
        with stopped(node.pid), pytest.raises(StoppedAnsweringError):
            channel.basic_publish("", "", b"1")
        assert time.monotonic() - began_s < PROMISED_S
