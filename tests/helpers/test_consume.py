"""The measured consumer: what it counts, how it fails, how it stops."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers import broker, chaos, consume, metrics, publish
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.history import History
from helpers.waits import wait_until


@pytest.fixture
def queue(channel):
    channel.queue_declare("q", durable=True)
    return channel


def fill(channel, count, history=None):
    publish.publish_batch(
        channel, count, exchange="", routing_key="q", persistent=False, mandatory=False,
        confirms=True, history=history,
    )  # fmt: skip


def consumer(*, prefetch_count=10, auto_ack=False, **choices):
    return consume.Consumer("q", prefetch_count=prefetch_count, auto_ack=auto_ack, **choices)


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "consumer"]


def test_it_takes_acks_and_counts(queue):
    fill(queue, 20)
    with consumer() as worker:
        worker.wait_for(20, timeout_s=10)
        wait_until(lambda: len(worker.settled_s) == 20, timeout_s=10, what="20 acks")
        assert worker.count == 20
        assert worker.unacked == 0
        assert worker.messages == [str(n) for n in range(20)]
        assert worker.redelivered == [False] * 20
        assert repr(worker) == "Consumer(consumer, prefetch 10: 20 delivered)"
    metrics.wait_for_totals("q", ready=0, unacked=0, timeout_s=10)
    assert threads() == []


def test_it_is_subscribed_when_the_block_begins(queue):
    with consumer():
        assert queue.queue_declare("q", passive=True).method.consumer_count == 1
    assert queue.queue_declare("q", passive=True).method.consumer_count == 0


@pytest.mark.parametrize(("prefetch_count", "held"), [(1, 1), (7, 7), (0, 30)])
def test_prefetch_is_in_force_and_unacked_messages_return(queue, prefetch_count, held):
    fill(queue, 30)
    with consumer(prefetch_count=prefetch_count, on_message=lambda *_: None) as worker:
        worker.wait_for(held, timeout_s=10)
        metrics.wait_for_totals("q", ready=30 - held, unacked=held, timeout_s=10)
        assert worker.unacked == worker.count == held
    assert metrics.ready(queue, "q") == 30


def test_stop_does_not_handle_prefetched_messages(queue):
    fill(queue, 400)
    with consumer(prefetch_count=0, service_time_s=0.05) as worker:
        worker.wait_for(2, timeout_s=10)
        start = time.perf_counter()
        worker.stop()
        assert time.perf_counter() - start < 4  # all of it would take 20 s
        worker.stop()
    assert worker.count < 100
    assert metrics.ready(queue, "q") == 400 - len(worker.settled_s)


def test_stop_after_ends_by_itself_and_returns_the_rest(queue):
    fill(queue, 30)
    with consumer(stop_after=5) as worker:
        worker.wait_for(5, timeout_s=10)
        metrics.wait_for_ready(queue, "q", 25, timeout_s=10)
        assert worker.count == 5


def test_waiting_for_more_than_it_took_ends_when_it_ends(queue):
    fill(queue, 5)
    with consumer(stop_after=3) as worker:
        started = time.monotonic()
        with pytest.raises(WaitTimeoutError, match="3 of 4 deliveries within 60 s and has stopped"):
            worker.wait_for(4, timeout_s=60)
        assert time.monotonic() - started < 30
        worker.wait_for(3, timeout_s=1)


def test_an_end_while_the_connection_closes_is_not_missed(queue):
    with consumer(stop_after=1) as worker:
        closing, go_on = threading.Event(), threading.Event()
        close = worker._connection.close
        worker._connection.close = lambda: (closing.set(), go_on.wait(10), close())
        fill(queue, 1)
        assert closing.wait(10)  # the thread lives, and nothing will arrive
        with pytest.raises(WaitTimeoutError, match="1 of 2 deliveries within 9 s and has stopped"):
            worker.wait_for(2, timeout_s=9)
        go_on.set()


def test_two_threads_may_wait_for_different_counts(queue):
    with consumer() as worker, ThreadPoolExecutor(2) as pool:
        few, many = (pool.submit(worker.wait_for, n, timeout_s=10) for n in (2, 5))
        fill(queue, 2)
        few.result(timeout=10)
        assert not many.done()
        fill(queue, 3)
        many.result(timeout=10)


def test_an_ack_of_all_is_noted_for_all(queue):
    fill(queue, 4)

    def on_message(channel, method, properties, body):
        if int(body) == 3:
            channel.basic_ack(0, multiple=True)

    with consumer(on_message=on_message) as worker:
        wait_until(lambda: len(worker.settled_s) == 4, timeout_s=10, what="4 acks noted")
        assert worker.unacked == 0
    assert metrics.ready(queue, "q") == 0


def test_automatic_acks_settle_at_delivery(queue):
    fill(queue, 10)
    history = History()
    with consumer(prefetch_count=1, auto_ack=True, history=history) as worker:
        worker.wait_for(10, timeout_s=10)
        assert worker.unacked == 0
        wait_until(lambda: len(worker.settled_s) == 10, timeout_s=10, what="10 settled")
    assert [e.kind for e in history.events(message=3)] == ["deliver", "effect"]


def test_an_empty_history_is_written_to_all_the_same(queue):
    history = History()
    fill(queue, 3, history)
    with consumer(history=history, name="index") as worker:
        worker.wait_for(3, timeout_s=10)
        wait_until(lambda: len(history.events("ack")) == 3, timeout_s=10, what="3 acks noted")
    assert history.story(2) == (
        "message 2: published → confirmed → delivered to index → effect → acked"
    )
    alone = History()
    fill(queue, 1)
    with consumer(history=alone) as worker:
        worker.wait_for(1, timeout_s=10)
        wait_until(lambda: len(alone.events("ack")) == 1, timeout_s=10, what="1 ack noted")


def test_settlements_by_a_callback_are_recorded(queue):
    fill(queue, 6)
    history = History()

    def on_message(channel, method, properties, body):
        assert channel.is_open
        number = int(body)
        if number == 3:
            channel.basic_ack(method.delivery_tag, multiple=True)
        elif number == 4:
            channel.basic_nack(method.delivery_tag, requeue=False)
        elif number == 5:
            channel.basic_reject(method.delivery_tag, requeue=False)

    with consumer(on_message=on_message, history=history) as worker:
        worker.wait_for(6, timeout_s=10)
        wait_until(lambda: worker.unacked == 0, timeout_s=10, what="nothing unacked")
    kinds = [(event.kind, event.message) for event in history.events("ack", "nack", "reject")]
    assert kinds == [("ack", str(n)) for n in range(4)] + [("nack", "4"), ("reject", "5")]
    assert metrics.ready(queue, "q") == 0


def test_a_redelivery_is_seen_as_one(queue):
    fill(queue, 1)
    queue.basic_get("q", auto_ack=False)
    queue.basic_nack(0, multiple=True, requeue=True)
    with consumer() as worker:
        worker.wait_for(1, timeout_s=10)
        assert worker.redelivered == [True]


def fail(channel, method, properties, body):
    raise ValueError(f"cannot index {body.decode()}")


def test_error_of_a_callback_is_raised_by_wait_for(queue):
    fill(queue, 1)
    with (
        pytest.raises(RabbitLabError, match=r"consumer on queue 'q' failed.*cannot index 0"),
        consumer(on_message=fail) as worker,
    ):
        worker.wait_for(2, timeout_s=10)
    assert metrics.ready(queue, "q") == 1
    assert threads() == []


def test_error_of_a_callback_is_raised_at_the_end_of_the_block(queue):
    fill(queue, 1)
    with (
        pytest.raises(RabbitLabError, match="cannot index 0") as raised,
        consumer(on_message=fail) as worker,
    ):
        wait_until(lambda: not worker._thread.is_alive(), timeout_s=10, what="it to fail")
    assert isinstance(raised.value.__cause__, ValueError)


def test_the_blocks_own_error_is_not_hidden_by_the_consumers(queue):
    with pytest.raises(ZeroDivisionError), consumer(on_message=fail) as worker:
        fill(queue, 1)
        wait_until(lambda: not worker._thread.is_alive(), timeout_s=10, what="it to fail")
        _ = 1 / 0


def test_an_interrupt_leaves_no_thread_and_no_unacked_message(queue):
    fill(queue, 20)
    with pytest.raises(KeyboardInterrupt), consumer(on_message=lambda *_: None) as worker:
        worker.wait_for(10, timeout_s=10)
        raise KeyboardInterrupt
    assert threads() == []
    assert metrics.ready(queue, "q") == 20


def test_an_interrupt_while_it_subscribes_leaves_no_thread(queue, monkeypatch):
    worker = consumer()

    def interrupted(timeout):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker._subscribed, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), worker:
        pass
    assert threads() == []
    assert queue.queue_declare("q", passive=True).method.consumer_count == 0


def test_a_queue_that_is_not_there_is_an_error_at_once(channel):
    with pytest.raises(RabbitLabError, match="404"), consumer():
        pass
    assert threads() == []


def test_error_at_the_deadline_has_the_number_of_deliveries(queue):
    fill(queue, 2)
    with consumer() as worker, pytest.raises(WaitTimeoutError, match="received 2 of 3 deliveries"):
        worker.wait_for(3, timeout_s=0.3)


def test_a_consumer_that_cannot_subscribe_in_time_gives_up(queue, monkeypatch):
    monkeypatch.setattr(consume, "GOODBYE_S", 0.2)
    with chaos.proxy(round_trip_ms=0) as way:
        connect = broker.connect

        def connect_then_swallow(**choices):
            connection = connect(**choices)
            way.swallow()
            return connection

        monkeypatch.setattr(broker, "connect", connect_then_swallow)
        with pytest.raises(WaitTimeoutError, match="could not subscribe"), consumer(via=way):
            pass
        way.cut()
    wait_until(lambda: threads() == [], timeout_s=10, what="its thread to end")


def test_a_cut_connection_is_an_error_and_gives_the_messages_back(queue):
    fill(queue, 5)
    with chaos.proxy(round_trip_ms=0) as way:
        with (
            pytest.raises(RabbitLabError, match="consumer on queue 'q' failed"),
            consumer(via=way, on_message=lambda *_: None) as worker,
        ):
            worker.wait_for(5, timeout_s=10)
            way.cut()
            worker.wait_for(6, timeout_s=10)
        metrics.wait_for_ready(queue, "q", 5, timeout_s=10)


def test_two_consumers_share_a_queue(queue):
    with consumer(prefetch_count=1) as one, consumer(prefetch_count=1) as other:
        fill(queue, 40)
        wait_until(lambda: one.count + other.count == 40, timeout_s=10, what="40 deliveries")
    assert sorted(map(int, one.messages + other.messages)) == list(range(40))
    assert one.count > 0
    assert other.count > 0


@pytest.mark.parametrize("prefetch_count", [-1, 65536])
def test_a_prefetch_out_of_range_is_refused(prefetch_count):
    with pytest.raises(UsageError, match="0 to 65535"):
        consumer(prefetch_count=prefetch_count)


def test_take_waits_for_a_message_and_leaves_it_unacknowledged(queue):
    late = threading.Timer(0.2, lambda: fill(broker.connect().channel(), 1))
    late.start()
    method, properties, body = consume.take(queue, "q", timeout_s=10)
    late.join()
    assert (method.redelivered, properties.message_id, body) == (False, "0", b"0")
    assert metrics.ready(queue, "q") == 0
    queue.basic_reject(method.delivery_tag, requeue=True)
    assert consume.take(queue, "q", timeout_s=10)[0].redelivered


def test_take_gives_up_when_there_is_no_message(queue):
    with pytest.raises(WaitTimeoutError, match="a message in queue 'q'"):
        consume.take(queue, "q", timeout_s=0.1)


def test_a_deleted_queue_is_an_error_at_the_end_of_the_block(queue):
    sentence = "consumer on queue 'q' failed: the broker cancelled it: queue 'q' was deleted"
    with pytest.raises(RabbitLabError) as raised, consumer():
        queue.queue_delete("q")
    assert str(raised.value) == sentence
    assert threads() == []


def test_a_deleted_queue_is_an_error_of_a_wait(queue):
    fill(queue, 1)
    with (
        pytest.raises(RabbitLabError, match="the broker cancelled it: queue 'q' was deleted"),
        consumer(on_message=lambda *_: None) as worker,
    ):
        worker.wait_for(1, timeout_s=10)
        queue.queue_delete("q")
        worker.wait_for(2, timeout_s=60)


def test_a_queue_that_goes_with_its_last_consumer_is_no_error(channel):
    channel.queue_declare("q", auto_delete=True)
    with consumer():
        pass
    with pytest.raises(RabbitLabError, match="404"), consumer():
        pass
