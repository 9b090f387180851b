"""Numbers read back from a real broker."""

import dataclasses
import math
import threading
import time

import pandas as pd
import pytest

from helpers import broker, metrics
from helpers.errors import (
    BrokerNotReadyError,
    BrokerRefusedError,
    RabbitLabError,
    UsageError,
    WaitTimeoutError,
)
from helpers.metrics import sampling
from helpers.waits import wait_until


@pytest.fixture
def channel():
    return broker.clean_channel()


def declare(channel, name, queue_type):
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": queue_type})


def publish(channel, name, count):
    for _ in range(count):
        channel.basic_publish("", name, b"document.created")


def hold(channel, name, count):
    """Take ``count`` messages without acknowledging them."""
    metrics.wait_for_ready(channel, name, metrics.ready(channel, name), timeout_s=5)
    for _ in range(count):
        method, _, _ = channel.basic_get(name, auto_ack=False)
        assert method is not None


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_ready_counts_what_is_neither_delivered_nor_gone(channel, queue_type):
    declare(channel, "q", queue_type)
    assert metrics.ready(channel, "q") == 0
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    hold(channel, "q", 2)
    assert metrics.ready(channel, "q") == 3


def test_ready_says_when_there_is_no_such_queue(channel):
    with pytest.raises(UsageError, match=r"queue 'absent' .*404 NOT_FOUND"):
        metrics.ready(channel, "absent")


def test_wait_for_ready_fails_with_the_last_count(channel):
    declare(channel, "q", "classic")
    publish(channel, "q", 2)
    metrics.wait_for_ready(channel, "q", 2, timeout_s=5)
    with pytest.raises(WaitTimeoutError, match=r"0\.1 s for 3 ready messages.* last look gave 2$"):
        metrics.wait_for_ready(channel, "q", 3, timeout_s=0.1)


def test_queues_of_an_empty_vhost(channel):
    frame = metrics.queues()
    assert list(frame.columns) == ["queue", "type", "ready", "unacked", "consumers"]
    assert len(frame) == 0


def test_queues_lists_each_type_and_misses_nothing_while_statistics_are_young(channel):
    for queue_type in ("stream", "quorum", "classic"):
        declare(channel, queue_type, queue_type)
    publish(channel, "classic", 4)
    metrics.wait_for_ready(channel, "classic", 4, timeout_s=5)
    hold(channel, "classic", 1)
    frame = metrics.queues().set_index("queue")
    assert frame["type"].to_dict() == {q: q for q in ("classic", "quorum", "stream")}
    assert frame.loc["classic", ["ready", "unacked", "consumers"]].tolist() == [3, 1, 0]
    assert frame.loc["stream", ["ready", "unacked"]].isna().all()
    assert str(frame["ready"].dtype) == "Int64"


def test_wait_for_totals_of_a_classic_queue_does_not_lag(channel):
    declare(channel, "q", "classic")
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    hold(channel, "q", 2)
    metrics.wait_for_totals("q", ready=3, unacked=2, timeout_s=1)


def test_wait_for_totals_of_a_quorum_queue_waits_for_its_next_tick(channel):
    declare(channel, "q", "quorum")
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    hold(channel, "q", 2)
    metrics.wait_for_totals("q", unacked=2, timeout_s=20)
    metrics.wait_for_totals("q", ready=3, timeout_s=20)


def test_wait_for_totals_fails_with_the_last_counts(channel):
    declare(channel, "q", "classic")
    with pytest.raises(WaitTimeoutError, match=r"'ready': 7.* last look gave \{'ready': 0\}"):
        metrics.wait_for_totals("q", ready=7, timeout_s=0)
    with pytest.raises(WaitTimeoutError, match="last look gave None"):
        metrics.wait_for_totals("absent", ready=0, timeout_s=0)
    with pytest.raises(UsageError, match="ready, unacked or both"):
        metrics.wait_for_totals("q", timeout_s=0)


def test_consumers_appear_with_their_settings_and_leave_at_once(channel):
    declare(channel, "q", "classic")
    assert len(metrics.consumers()) == 0
    channel.basic_qos(prefetch_count=7)
    channel.basic_consume("q", lambda *_: None, auto_ack=False, consumer_tag="b")
    channel.basic_consume("q", lambda *_: None, auto_ack=True, consumer_tag="a")
    declare(channel, "p", "quorum")
    channel.basic_consume("p", lambda *_: None, auto_ack=False, consumer_tag="c")
    metrics.wait_for_consumers("q", 2, timeout_s=20)
    metrics.wait_for_consumers("p", 1, timeout_s=20)
    frame = metrics.consumers()
    assert frame.to_dict("records") == [
        {
            "queue": queue,
            "consumer_tag": tag,
            "prefetch_count": 7,
            "ack_required": ack_required,
            "active": True,
        }
        for queue, tag, ack_required in (("p", "c", True), ("q", "a", False), ("q", "b", True))
    ]
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "str", "int64", "bool", "bool"]
    assert metrics.queues()["consumers"].tolist() == [1, 2]
    channel.basic_cancel("a")
    channel.basic_cancel("b")
    metrics.wait_for_consumers("q", 0, timeout_s=2)
    assert list(metrics.consumers().columns) == list(frame.columns)


def test_counters_wait_for_the_first_statistics(channel):
    declare(channel, "q", "classic")
    with pytest.raises(WaitTimeoutError, match="first statistics of queue 'q'"):
        metrics.counters("q", timeout_s=0)
    declare(channel, "only-published", "classic")
    publish(channel, "only-published", 1)
    publish(channel, "q", 3)
    metrics.wait_for_ready(channel, "q", 3, timeout_s=5)
    method, _, _ = channel.basic_get("q", auto_ack=False)
    channel.basic_reject(method.delivery_tag, requeue=True)
    metrics.wait_for_ready(channel, "q", 3, timeout_s=5)
    method, _, _ = channel.basic_get("q", auto_ack=False)
    channel.basic_ack(method.delivery_tag)
    expected = {
        "publish": 3,
        "deliver": 0,
        "deliver_no_ack": 0,
        "get": 2,
        "get_no_ack": 0,
        "deliver_get": 2,
        "ack": 1,
        "redeliver": 1,
    }
    # each channel reports its part on its own five-second beat, so the parts arrive one by one
    wait_until(
        lambda: metrics.counters("q", timeout_s=20) == expected,
        timeout_s=25,
        what=f"the counters {expected}",
        every_s=0.2,
    )
    only_published = metrics.counters("only-published", timeout_s=20)
    assert (only_published["publish"], only_published["ack"]) == (1, 0)


def test_counters_say_when_there_is_no_such_queue(channel):
    with pytest.raises(BrokerRefusedError, match="404"):
        metrics.counters("no/such queue", timeout_s=0)


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_prometheus_reads_a_queue(channel, queue_type):
    declare(channel, "q", queue_type)
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    deadline = time.monotonic() + 20
    while True:
        frame = metrics.prometheus("queue_coarse_metrics", "queue_consumer_count")
        found = frame[frame["metric"] == "rabbitmq_detailed_queue_messages_ready"]
        if found["value"].tolist() == [5.0] or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert found[["queue", "vhost", "value"]].to_numpy().tolist() == [["q", broker.vhost(), 5.0]]
    assert list(frame.columns[:4]) == ["metric", "queue", "vhost", "value"]
    assert set(frame["vhost"]) == {broker.vhost()}


def test_prometheus_without_statistics_has_no_rows(channel):
    frame = metrics.prometheus("queue_coarse_metrics")
    assert list(frame.columns) == ["metric", "queue", "vhost", "value"]
    assert len(frame) == 0
    assert len(metrics.prometheus("queue_that_nobody_has")) == 0


def test_prometheus_shows_no_other_vhost(channel):
    frame = metrics.prometheus("vhost_status")
    assert set(frame["vhost"]) == {broker.vhost()}


def test_prometheus_totals_of_the_node(channel):
    frame = metrics.prometheus().set_index("metric")
    assert frame.loc["rabbitmq_connections", "value"] >= 1
    assert "rabbitmq_alarms_memory_used_watermark" in frame.index


def test_prometheus_refuses_what_is_not_a_family(channel):
    with pytest.raises(UsageError, match="not a family"):
        metrics.prometheus("queue_coarse_metrics&family=x")


def test_sample_reads_at_a_steady_pace_and_once_at_the_end(channel):
    declare(channel, "q", "classic")
    with metrics.sample(lambda: totals("q"), every_s=0.05) as sampler:
        publish(channel, "q", 10)
        metrics.wait_for_ready(channel, "q", 10, timeout_s=5)
        time.sleep(0.3)
    frame = sampler.frame()
    assert list(frame.columns) == ["t_s", "ready", "unacked"]
    assert 4 <= len(frame) <= 12
    assert frame["t_s"].is_monotonic_increasing
    assert frame["ready"].iloc[-1] == 10.0
    assert no_sampler_runs()


def totals(queue):
    row = metrics.queues().set_index("queue").loc[queue]
    return {"ready": row["ready"], "unacked": row["unacked"]}


def no_sampler_runs():
    return all(thread.name != "sampler" for thread in threading.enumerate())


def test_sample_skips_ticks_when_a_reading_is_slow():
    with metrics.sample(lambda: time.sleep(0.12) or {"n": 1}, every_s=0.05) as sampler:
        time.sleep(0.5)
    assert 3 <= len(sampler.frame()) <= 6


def test_sample_does_not_catch_up_after_a_slow_reading():
    pauses_s = iter([0.5])
    with metrics.sample(lambda: time.sleep(next(pauses_s, 0)) or {"n": 1}, every_s=0.05) as sampler:
        time.sleep(0.52)
    assert len(sampler.frame()) <= 6


def test_sample_reads_at_the_start_and_at_the_end():
    numbers = iter(range(9))
    with metrics.sample(lambda: {"n": next(numbers)}, every_s=60) as sampler:
        time.sleep(0.05)
    assert sampler.frame()["n"].tolist() == [0.0, 1.0]


def test_sample_marks_what_a_reading_did_not_have():
    readings = iter([{"a": 1}, {"b": 2}])
    with metrics.sample(lambda: next(readings, {"a": 3, "b": 3}), every_s=0.01) as sampler:
        time.sleep(0.1)
    frame = sampler.frame()
    assert math.isnan(frame["b"].iloc[0])
    assert math.isnan(frame["a"].iloc[1])


def test_sample_raises_on_leaving_what_read_raised():
    def read():
        raise KeyError("messages")

    with (
        pytest.raises(RabbitLabError, match="ended after 0 samples: KeyError: 'messages'"),
        metrics.sample(read, every_s=0.01) as sampler,
    ):
        time.sleep(0.05)
    assert no_sampler_runs()
    assert list(sampler.frame().columns) == ["t_s"]


def test_sample_does_not_hide_the_error_of_the_block():
    with (
        pytest.raises(RuntimeError, match="of the block") as caught,
        metrics.sample(lambda: 1 / 0, every_s=0.01),
    ):
        time.sleep(0.05)
        raise RuntimeError("of the block")
    assert caught.value.__notes__ == [
        "sampling ended after 0 samples: ZeroDivisionError: division by zero"
    ]


def test_sample_stops_on_keyboard_interrupt():
    with (
        pytest.raises(KeyboardInterrupt),
        metrics.sample(lambda: {"n": 1}, every_s=60) as sampler,  # only the start's and the end's
    ):
        raise KeyboardInterrupt
    assert no_sampler_runs()
    assert len(sampler.frame()) <= 1


@pytest.mark.parametrize("every_s", [0, -1, float("nan")])
def test_sample_refuses_a_pace_that_is_none(every_s):
    with pytest.raises(UsageError, match="every_s must be more than 0"):
        metrics.sample(dict, every_s=every_s)


def test_rates_clip_a_reset_and_never_divide_by_zero():
    frame = pd.DataFrame({"t_s": [0, 1, 1, 3, 4], "ack": [0, 10, 20, 40, 5]})
    assert metrics.rates(frame, "ack").to_dict("list") == {
        "t_s": [1.0, 3.0, 4.0],
        "ack_per_s": [10.0, 10.0, 0.0],
    }


def test_rates_leave_out_missing_samples():
    frame = pd.DataFrame({"t_s": [0.0, 1.0, 2.0], "ack": [0.0, None, 8.0]})
    assert metrics.rates(frame, "ack").to_dict("list") == {"t_s": [2.0], "ack_per_s": [4.0]}


@pytest.mark.parametrize("count", [0, 1])
def test_rates_of_fewer_than_two_samples_have_no_rows(count):
    frame = pd.DataFrame({"t_s": [0.0], "ack": [1.0]})[:count]
    rates = metrics.rates(frame, "ack")
    assert list(rates.columns) == ["t_s", "ack_per_s"]
    assert len(rates) == 0


def test_rates_name_the_missing_column():
    with pytest.raises(UsageError, match="no column 'ack'; there are t_s, publish"):
        metrics.rates(pd.DataFrame({"t_s": [], "publish": []}), "ack")


def test_sample_does_not_wait_for_ever_for_a_reading(monkeypatch):
    monkeypatch.setattr(sampling, "LAST_READ_S", 0.1)
    release = threading.Event()
    with (
        pytest.raises(WaitTimeoutError, match=r"read has not returned for 0\.1 s"),
        metrics.sample(lambda: {"n": release.wait(20)}, every_s=0.01),
    ):
        time.sleep(0.02)
    release.set()


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        (None, BrokerRefusedError, "no Prometheus endpoint"),
        (lambda: broker.find().management_page, BrokerNotReadyError, "404"),
        (
            "http://127.0.0.1:1",
            BrokerNotReadyError,
            r"no Prometheus metrics from http://127.0.0.1:1",
        ),
    ],
)
def test_prometheus_says_when_there_is_no_endpoint(monkeypatch, url, error, says):
    url = url() if callable(url) else url
    elsewhere = dataclasses.replace(broker.find(), prometheus_url=url)
    monkeypatch.setattr(broker, "find", lambda: elsewhere)
    with pytest.raises(error, match=says):
        metrics.prometheus("queue_coarse_metrics")
