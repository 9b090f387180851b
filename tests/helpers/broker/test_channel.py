"""A clean channel after anything that an earlier or interrupted cell left behind."""

import signal
import threading
import time

import pika
import pytest
from pika import exceptions

from helpers import broker
from helpers.broker import vhosts
from helpers.errors import BrokerError, BrokerNotReadyError
from helpers.waits import wait_until
from tests.conftest import child_environment

CONSUME_FOR_EVER = """
import os, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.basic_consume("work", lambda *_: None)
print("consuming", flush=True)
channel.start_consuming()
"""


def names(kind):
    found = {item["name"] for item in broker.api("GET", f"{kind}/{{vhost}}?disable_stats=true")}
    return {name for name in found if name and not name.startswith("amq.")}


@pytest.mark.parametrize("queue_type", ["classic", "quorum", "stream"])
def test_queues_are_gone(channel, queue_type):
    arguments = {"x-queue-type": queue_type}
    for name in ("a", "b/c d", "ü%2F"):
        channel.queue_declare(name, durable=True, arguments=arguments)
        channel.basic_publish("", name, b"left behind")
    broker.clean_channel()
    assert names("queues") == set()


def test_exclusive_queues_are_gone(channel):
    broker.connect().channel().queue_declare("mine", exclusive=True)
    fresh = broker.clean_channel()
    fresh.queue_declare("mine", exclusive=True)
    assert names("queues") == {"mine"}


def test_a_second_clean_channel_closes_the_first(channel):
    other = broker.clean_channel()
    assert other.is_open
    assert not channel.is_open
    assert not channel.connection.is_open


def test_after_a_channel_error(channel):
    with pytest.raises(exceptions.ChannelClosedByBroker):
        channel.queue_declare("missing", passive=True)
    assert broker.clean_channel().queue_declare("missing", durable=True)


def test_after_lost_sockets(channel):
    # RabbitMQ 3.10 answers 500 when a connection ends during the request to close it.
    for _ in range(20):
        lost = [channel.connection, *(broker.connect() for _ in range(3))]
        for connection in lost:
            connection._impl._transport._sock.close()
        channel = broker.clean_channel()
    assert channel.queue_declare("q", durable=True)


def test_after_a_consumer_that_stopped_reading(channel):
    channel.queue_declare("big", durable=True)
    for _ in range(200):
        channel.basic_publish("", "big", bytes(200_000))
    channel.basic_consume("big", lambda *_: None, auto_ack=True)
    began_s = time.monotonic()
    publish_and_expect_all(broker.clean_channel())
    # A clean close would make the broker wait 3 s for the client.
    assert time.monotonic() - began_s < 2.5


def test_leftover_consumer_of_a_thread_takes_nothing(channel):
    channel.queue_declare("work", durable=True)
    subscribed, ended, taken = threading.Event(), threading.Event(), []

    def consume():
        try:
            other = broker.connect().channel()
            other.basic_qos(prefetch_count=10)
            other.basic_consume("work", lambda *message: taken.append(message[-1]))
            subscribed.set()
            other.start_consuming()
        except exceptions.AMQPError:
            ended.set()

    thread = threading.Thread(target=consume)
    thread.start()
    assert subscribed.wait(5)
    channel.basic_publish("", "work", b"earlier")
    wait_until(lambda: taken, timeout_s=5, what="a delivery")
    fresh = broker.clean_channel()
    publish_and_expect_all(fresh)
    assert ended.wait(5)
    thread.join()
    assert taken == [b"earlier"]


def test_leftover_consumer_of_another_process_takes_nothing(channel, start_python):
    channel.queue_declare("work", durable=True)
    child = start_python(CONSUME_FOR_EVER, child_environment(AMQP_URL=broker.amqp_url()))
    assert child.stdout.readline() == "consuming\n"
    publish_and_expect_all(broker.clean_channel())
    assert child.wait(10) != 0


def publish_and_expect_all(channel):
    channel.confirm_delivery()
    channel.queue_declare("work", durable=True)
    for number in range(20):
        channel.basic_publish("", "work", str(number).encode())
    assert channel.queue_declare("work", passive=True).method.message_count == 20


def test_after_an_interrupt_in_the_middle_of_consuming(channel):
    channel.queue_declare("work", durable=True)
    channel.basic_consume("work", lambda *_: None)
    for body in (b"1", b"2"):
        channel.basic_publish("", "work", body)
    # Jupyter's stop button sends this signal.
    stop = (threading.main_thread().ident, signal.SIGINT)
    timer = threading.Timer(0.3, signal.pthread_kill, stop)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        channel.start_consuming()
    timer.join()
    publish_and_expect_all(broker.clean_channel())


def test_after_an_interrupt_inside_of_a_callback(channel):
    def interrupted(*_):
        raise KeyboardInterrupt

    channel.queue_declare("work", durable=True)
    channel.basic_consume("work", interrupted)
    channel.basic_publish("", "work", b"1")
    with pytest.raises(KeyboardInterrupt):
        channel.start_consuming()
    publish_and_expect_all(broker.clean_channel())


def test_object_that_cannot_be_deleted_goes_with_the_vhost(channel, monkeypatch):
    def refuse(call, name, *, timeout_s):
        raise BrokerError("something in it is in use")

    channel.queue_declare("stubborn", durable=True)
    monkeypatch.setattr(vhosts, "empty", refuse)
    channel = broker.clean_channel()
    assert names("queues") == set()
    assert channel.queue_declare("q", durable=True)


def test_connections_survive_trouble_by_default(channel):
    parameters = broker.parameters()
    assert parameters.blocked_connection_timeout == 10
    assert parameters.socket_timeout == 5
    assert parameters.heartbeat == 30
    assert broker.parameters(heartbeat=7).heartbeat == 7
    assert parameters.virtual_host == broker.vhost()


def test_via_is_where_the_connection_goes(channel, shared_broker):
    class Via:
        host = "127.0.0.1"
        port = 1

    assert (broker.parameters(via=Via()).host, broker.parameters(via=Via()).port) == (
        "127.0.0.1",
        1,
    )
    assert f"@127.0.0.1:1/{broker.vhost()}" in broker.amqp_url(via=Via())
    with pytest.raises(BrokerNotReadyError, match=r"127\.0\.0\.1:1 "):
        broker.connect(via=Via())


def test_url_is_all_that_a_child_needs(channel):
    with pika.BlockingConnection(pika.URLParameters(broker.amqp_url())) as connection:
        connection.channel().queue_declare("from-a-child", durable=True)
    assert names("queues") == {"from-a-child"}
