"""Counts of messages and consumers, read back from a real broker."""

import pytest

from helpers import metrics
from helpers.errors import UsageError, WaitTimeoutError
from tests.helpers.metrics.queues import declare, publish


def hold(channel, name, count):
    """Take ``count`` messages without acknowledging them."""
    metrics.wait_for_ready(channel, name, metrics.ready(channel, name), timeout_s=5)
    for _ in range(count):
        method, _, _ = channel.basic_get(name, auto_ack=False)
        assert method is not None


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_ready_counts_undelivered_messages_only(channel, queue_type):
    declare(channel, "q", queue_type)
    assert metrics.ready(channel, "q") == 0
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    hold(channel, "q", 2)
    assert metrics.ready(channel, "q") == 3


def test_ready_of_a_missing_queue_is_an_error(channel):
    with pytest.raises(UsageError, match=r"queue 'absent' .*404 NOT_FOUND"):
        metrics.ready(channel, "absent")


def test_wait_for_ready_fails_with_the_last_count(channel):
    declare(channel, "q", "classic")
    publish(channel, "q", 2)
    metrics.wait_for_ready(channel, "q", 2, timeout_s=5)
    with pytest.raises(WaitTimeoutError, match=r"0\.1 s waiting for 3 ready.* last value: 2$"):
        metrics.wait_for_ready(channel, "q", 3, timeout_s=0.1)


@pytest.mark.parametrize("expected", [2, 3])
def test_settled_is_the_count_that_a_queue_has_in_the_end(channel, expected):
    declare(channel, "q", "quorum")
    publish(channel, "q", 2)
    assert metrics.settled(channel, "q", expected, timeout_s=0.5) == 2


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
    with pytest.raises(WaitTimeoutError, match=r"'ready': 7.* last value: \{'ready': 0\}"):
        metrics.wait_for_totals("q", ready=7, timeout_s=0)
    with pytest.raises(WaitTimeoutError, match="last value: None"):
        metrics.wait_for_totals("absent", ready=0, timeout_s=0)
    with pytest.raises(UsageError, match="ready, unacked or both"):
        metrics.wait_for_totals("q", timeout_s=0)


def test_wait_for_consumers_counts_those_that_come_and_leave(channel):
    declare(channel, "q", "classic")
    channel.basic_consume("q", lambda *_: None, auto_ack=False, consumer_tag="b")
    channel.basic_consume("q", lambda *_: None, auto_ack=True, consumer_tag="a")
    declare(channel, "p", "quorum")
    channel.basic_consume("p", lambda *_: None, auto_ack=False, consumer_tag="c")
    metrics.wait_for_consumers("q", 2, timeout_s=20)
    metrics.wait_for_consumers("p", 1, timeout_s=20)
    assert metrics.queues()["consumers"].tolist() == [1, 2]
    channel.basic_cancel("a")
    channel.basic_cancel("b")
    metrics.wait_for_consumers("q", 0, timeout_s=2)
