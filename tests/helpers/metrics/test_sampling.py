"""Numbers read at a steady pace on a thread."""

import math
import threading
import time

import pytest

from helpers import metrics
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.metrics import sampling
from helpers.waits import wait_until
from tests.helpers.metrics.queues import declare, publish


def test_sample_reads_at_a_steady_pace_and_once_at_the_end(channel):
    declare(channel, "q", "classic")
    totals("q")  # imports pandas, which takes longer than the block
    with metrics.sample(lambda: totals("q"), every_s=0.05) as sampler:
        publish(channel, "q", 10)
        metrics.wait_for_ready(channel, "q", 10, timeout_s=5)
        wait_until(lambda: len(sampler.frame()) >= 4, timeout_s=20, what="four readings")
    frame = sampler.frame()
    assert list(frame.columns) == ["t_s", "ready", "unacked"]
    assert len(frame) <= most_readings(frame, every_s=0.05)
    assert frame["t_s"].is_monotonic_increasing
    assert frame["ready"].iloc[-1] == 10.0
    assert no_sampler_runs()


def most_readings(frame, *, every_s, after_s=0.0):
    """Return how many there may be: at a steady pace, one at the start and one at the end."""
    return 2 + (frame["t_s"].iloc[-1] - after_s) / every_s


def totals(queue):
    row = metrics.queues().set_index("queue").loc[queue]
    return {"ready": row["ready"], "unacked": row["unacked"]}


def no_sampler_runs():
    return all(thread.name != "sampler" for thread in threading.enumerate())


def test_sample_skips_ticks_when_a_reading_is_slow():
    with metrics.sample(lambda: time.sleep(0.12) or {"n": 1}, every_s=0.05) as sampler:
        wait_until(lambda: len(sampler.frame()) >= 3, timeout_s=20, what="three readings")
    assert len(sampler.frame()) <= most_readings(sampler.frame(), every_s=0.12)


def test_sample_does_not_catch_up_after_a_slow_reading():
    pauses_s = iter([0.5])
    with metrics.sample(lambda: time.sleep(next(pauses_s, 0)) or {"n": 1}, every_s=0.05) as sampler:
        wait_until(lambda: len(sampler.frame()) >= 2, timeout_s=20, what="the next reading")
    assert len(sampler.frame()) <= most_readings(sampler.frame(), every_s=0.05, after_s=0.4)


def test_sample_reads_at_the_start_and_at_the_end():
    numbers = iter(range(9))
    with metrics.sample(lambda: {"n": next(numbers)}, every_s=60) as sampler:
        time.sleep(0.05)
    assert sampler.frame()["n"].tolist() == [0.0, 1.0]


def test_sample_has_nan_for_missing_values():
    readings = iter([{"a": 1}, {"b": 2}])
    with metrics.sample(lambda: next(readings, {"a": 3, "b": 3}), every_s=0.01) as sampler:
        time.sleep(0.1)
    frame = sampler.frame()
    assert math.isnan(frame["b"].iloc[0])
    assert math.isnan(frame["a"].iloc[1])


def test_error_of_read_is_raised_at_the_end_of_the_block():
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


def test_sample_does_not_wait_for_ever_for_a_reading(monkeypatch):
    monkeypatch.setattr(sampling, "LAST_READ_S", 0.1)
    release = threading.Event()
    with (
        pytest.raises(WaitTimeoutError, match=r"read has not returned for 0\.1 s"),
        metrics.sample(lambda: {"n": release.wait(20)}, every_s=0.01),
    ):
        time.sleep(0.02)
    release.set()
