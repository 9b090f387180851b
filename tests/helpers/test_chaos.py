"""The proxy: its delay is real; it cuts, swallows and recovers; it never outlives its parent."""

import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import pytest
from pika.exceptions import AMQPError

from helpers import broker, chaos, metrics
from helpers.errors import BrokerError, RabbitLabError, UsageError
from helpers.waits import wait_until
from tests.helpers.test_processes import is_running


def round_trips_s(channel, count=9):
    """Time calls that cannot return before their answer has come back."""
    took = []
    for _ in range(count):
        start = time.perf_counter()
        channel.queue_declare("q", passive=True)
        took.append(time.perf_counter() - start)
    return took


@pytest.fixture
def queue(channel):
    channel.queue_declare("q", durable=True)
    return channel


@pytest.mark.parametrize("delay_ms", [10, 40])
def test_each_round_trip_takes_at_least_the_delay(queue, delay_ms):
    with chaos.proxy(round_trip_ms=delay_ms) as far:
        took = round_trips_s(broker.connect(via=far).channel())
    assert min(took) >= delay_ms / 1000
    # the middle one is not much later, though this machine may be busy
    assert statistics.median(took) <= 2 * delay_ms / 1000 + 0.05
    assert repr(far) == f"Proxy(round_trip_ms={delay_ms})"


def test_without_delay_it_only_passes_on(queue):
    with chaos.proxy(round_trip_ms=0) as near:
        assert statistics.median(round_trips_s(broker.connect(via=near).channel())) < 0.05


def test_delay_does_not_add_up_when_much_is_under_way(queue):
    with chaos.proxy(round_trip_ms=100) as far:
        channel = broker.connect(via=far).channel()
        start = time.perf_counter()
        for _ in range(200):
            channel.basic_publish("", "q", b"x" * 1000)
        channel.queue_declare("q", passive=True)
        assert time.perf_counter() - start < 2
    metrics.wait_for_ready(queue, "q", 200, timeout_s=10)


def test_round_trips_are_answers_that_a_client_has_waited_for(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        assert way.round_trips() == 0
        connection = broker.connect(via=way)
        opened = way.round_trips()
        assert opened == 3  # to the protocol's header, start-ok, and open
        channel = connection.channel()
        for _ in range(5):
            channel.queue_declare("q", passive=True)
        assert way.round_trips() == opened + 6
        for _ in range(5):
            channel.basic_publish("", "q", b"x")  # without a confirm, so nobody answers
        assert way.round_trips() == opened + 6
        way.cut()
        assert way.round_trips() == opened + 6


def test_cut_ends_connections_at_once_and_lets_new_ones_through(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        connection = broker.connect(via=way)
        channel = connection.channel()
        way.cut()
        with pytest.raises(AMQPError):
            channel.queue_declare("q", passive=True)
        assert not connection.is_open
        assert broker.connect(via=way).channel().queue_declare("q", passive=True)
        way.cut()


def test_cut_gives_the_broker_its_unacked_messages_back(queue):
    queue.confirm_delivery()
    queue.basic_publish("", "q", b"x")
    with chaos.proxy(round_trip_ms=0) as way:
        channel = broker.connect(via=way).channel()
        assert channel.basic_get("q", auto_ack=False)[0]
        assert metrics.ready(queue, "q") == 0
        way.cut()
        metrics.wait_for_ready(queue, "q", 1, timeout_s=10)
    assert queue.basic_get("q", auto_ack=True)[0].redelivered


def test_swallow_loses_what_clients_send_without_an_error(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        channel = broker.connect(via=way).channel()
        way.swallow()
        for _ in range(100):
            channel.basic_publish("", "q", b"x")
        assert channel.is_open
        way.cut()
    assert metrics.ready(queue, "q") == 0


def test_swallow_answers_loses_the_confirm_and_not_the_publish(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        channel = broker.connect(via=way).channel()
        channel.confirm_delivery()
        way.swallow_answers()

        def cut_when_stored():
            with broker.connect() as connection:
                metrics.wait_for_ready(connection.channel(), "q", 1, timeout_s=10)
            way.cut()

        watcher = threading.Thread(target=cut_when_stored)
        watcher.start()
        with pytest.raises(AMQPError):
            channel.basic_publish("", "q", b"x")
        watcher.join(timeout=10)
        again = broker.connect(via=way).channel()
        again.confirm_delivery()
        again.basic_publish("", "q", b"x")
    assert metrics.ready(queue, "q") == 2


def test_restore_lets_new_connections_work_again(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        broker.connect(via=way).channel()
        way.swallow()
        way.restore()
        channel = broker.connect(via=way).channel()
        channel.confirm_delivery()
        channel.basic_publish("", "q", b"x")
    assert metrics.ready(queue, "q") == 1


def test_refuse_cuts_and_lets_nothing_through_until_restored(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        connection = broker.connect(via=way)
        way.refuse()
        with pytest.raises(AMQPError):
            connection.channel()
        for _ in range(2):
            with pytest.raises(BrokerError):
                broker.connect(via=way)
        way.restore()
        assert broker.connect(via=way).channel().queue_declare("q", passive=True)


def test_a_broker_that_is_not_there_closes_the_connection(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        port = closed_soon.getsockname()[1]
    elsewhere = broker.parameters(host="127.0.0.1", port=port)
    monkeypatch.setattr(broker, "parameters", lambda: elsewhere)
    with (
        chaos.proxy(round_trip_ms=0) as way,
        socket.create_connection((way.host, way.port), timeout=5) as client,
    ):
        assert client.recv(1) == b""


@pytest.mark.parametrize("delay_ms", [-1, 2001, float("nan")])
def test_a_delay_out_of_range_is_refused(delay_ms):
    with pytest.raises(UsageError, match="must be 0 to 2000"), chaos.proxy(round_trip_ms=delay_ms):
        pass


def test_leaving_the_block_ends_the_proxy_also_after_an_interrupt(queue):
    with pytest.raises(KeyboardInterrupt), chaos.proxy(round_trip_ms=0) as way:
        process = way._process
        raise KeyboardInterrupt
    assert process.poll() == 0


def test_a_proxy_that_has_ended_is_named_in_one_sentence(queue):
    with chaos.proxy(round_trip_ms=0) as way:
        way._process.kill()
        way._process.wait(timeout=5)
        with pytest.raises(RabbitLabError, match="the proxy has ended"):
            way.cut()


def test_a_proxy_that_cannot_start_is_named_in_one_sentence(queue, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(RabbitLabError, match="could not start"), chaos.proxy(round_trip_ms=0):
        pass


def test_a_proxy_that_hangs_is_killed(queue, monkeypatch):
    monkeypatch.setattr(chaos, "GOODBYE_S", 0.2)
    with chaos.proxy(round_trip_ms=0) as way:
        way._process.send_signal(signal.SIGSTOP)
    assert way._process.returncode == -signal.SIGKILL


PARENT = """
import time
from helpers import chaos

with chaos.proxy(round_trip_ms=0) as way:
    print(way._process.pid, flush=True)
    time.sleep(60)
"""


def test_the_proxy_ends_when_its_parent_is_killed():
    broker.find()
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout
        child = int(it.stdout.readline())
        assert is_running(child)
        it.kill()
        wait_until(lambda: not is_running(child), timeout_s=10, what="the proxy to end")
