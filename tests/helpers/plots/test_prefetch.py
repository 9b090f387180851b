"""Tests of the figures about prefetch: lanes, curves, bars, labels."""

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError
from tests.support.figure_words import labels, legend, texts

NEAR, MIDDLE, FAR = "next door", "5 ms away", "50 ms away"


def clock(prefetch, *sent):
    rows = [{"sent": t, "begins": t + 1.5, "ends": t + 2.5, "acked": t + 4.0} for t in sent]
    return pd.DataFrame(rows).assign(prefetch=prefetch)


def test_the_clock_shows_each_delivery_work_and_ack_and_the_idle_time(drawn):
    plots.prefetch_clock(pd.concat([clock(1, 0.0, 4.0), clock(4, 0.0, 1.0, 2.0)]))
    (axes,) = drawn[0].axes
    assert len(axes.patches) == 5
    assert texts(axes) == ["prefetch 1", "idle", "prefetch 4"]
    assert labels(axes.yaxis) == ["broker", "worker"] * 2
    arrows = [line for line in axes.lines if line.get_ydata()[0] != line.get_ydata()[1]]
    assert len(arrows) == 10
    assert legend(axes) == ["delivery", "ack", "work"]
    first = axes.patches[0]
    assert (first.get_x(), first.get_width()) == (1.5, 1.0)
    assert "[multiples of the work on one message]" in axes.get_xlabel()


def watched(*prefetches):
    return pd.DataFrame(
        {"prefetch": p, "t_s": t / 10, "ready": 50 - 10 * t, "unacked": p}
        for p in prefetches
        for t in range(5)
    )


def test_ready_and_unacked_have_a_column_for_each_prefetch_and_start_at_zero(drawn):
    plots.ready_and_unacked(watched(1, 10))
    one, ten = drawn[0].axes
    assert [one.get_title(), ten.get_title()] == ["prefetch 1", "prefetch 10"]
    ready, unacked, limit = ten.lines
    assert list(ready.get_ydata()) == [50, 40, 30, 20, 10]
    assert list(unacked.get_ydata()) == [10] * 5
    assert set(limit.get_ydata()) == {10}
    assert ready.get_linestyle() != unacked.get_linestyle()
    assert one.get_ylim()[0] == 0
    assert one.get_ylabel() == "messages"
    assert legend(ten) == ["ready", "unacked"]


def test_ready_and_unacked_of_one_prefetch_is_one_column(drawn):
    plots.ready_and_unacked(watched(5))
    assert [axes.get_title() for axes in drawn[0].axes] == ["prefetch 5"]


def throughput(*distances, prefetches=(1, 10, 100, 0)):
    return pd.DataFrame(
        {"distance": d, "prefetch": p, "msgs_per_s": 10.0 * (p or 200), "knee": 3.0 + n}
        for n, d in enumerate(distances)
        for p in prefetches
    )


def test_throughput_has_a_labelled_curve_its_model_and_its_knee_for_each_distance(drawn):
    measured = throughput(NEAR, MIDDLE, FAR)
    model = throughput(NEAR, MIDDLE, FAR, prefetches=range(1, 101))
    plots.throughput_by_prefetch(measured, model)
    (axes,) = drawn[0].axes
    assert {NEAR, MIDDLE, FAR, "3", "4", "5", "the usual 10"} == set(texts(axes))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    curves = [line for line in axes.lines if len(line.get_xdata()) == 4]
    assert len(curves) == 3
    assert [list(line.get_xdata())[:3] for line in curves] == [[1, 10, 100]] * 3
    assert all(line.get_xdata()[3] > 100 for line in curves)  # no limit stands last
    assert len({line.get_marker() for line in curves}) == 3
    models = [line for line in axes.lines if len(line.get_xdata()) == 100]
    assert [line.get_linestyle() for line in models] == ["--"] * 3
    assert labels(axes.xaxis)[-1] == "no limit"
    assert legend(axes) == ["model: min(P / (RTT + S), 1 / S)", "knee: 1 + RTT / S"]


def test_a_knee_below_two_is_written_with_a_decimal(drawn):
    model = throughput(NEAR, prefetches=range(1, 101)).assign(knee=1.26)
    plots.throughput_by_prefetch(throughput(NEAR), model)
    assert "1.3" in texts(drawn[0].axes[0])


def uneven(*workers):
    return pd.DataFrame(
        {"prefetch": p, "worker": w, "messages": 40 + 10 * n, "finished_s": 0.5 + n}
        for p in (1, 50, 0)
        for n, w in enumerate(workers)
    )


def test_uneven_workers_have_two_bars_for_each_prefetch_with_their_messages(drawn):
    plots.uneven_workers(uneven("fast", "slow"))
    (axes,) = drawn[0].axes
    assert len(axes.patches) == 6
    assert texts(axes) == ["40 messages"] * 3 + ["50 messages"] * 3
    assert labels(axes.yaxis) == ["1", "50", "no limit"]
    assert [bar.get_width() for bar in axes.patches] == [0.5] * 3 + [1.5] * 3
    assert {bar.get_hatch() for bar in axes.patches[3:]} != {None, ""}
    assert legend(axes) == ["fast", "slow"]
    assert axes.get_xlabel() == "finished after [s]"
    assert axes.get_xlim()[0] == 0


@pytest.mark.parametrize("workers", [("fast",), ("fast", "slow", "late")])
def test_other_numbers_of_workers_than_two_are_refused(drawn, workers):
    with pytest.raises(UsageError, match=f"two workers, not {len(workers)}"):
        plots.uneven_workers(uneven(*workers))
    assert drawn == []


def test_the_knee_puts_every_distance_on_one_axis_and_circles_ten(drawn):
    frame = pd.DataFrame(
        {"distance": d, "prefetch": p, "needed": n, "busy": min(1.0, p / n)}
        for d, n in ((NEAR, 1.25), (FAR, 40.0))
        for p in (1, 10, 100, 0)
    )
    plots.prefetch_knee(frame)
    (axes,) = drawn[0].axes
    model, near, far = axes.lines
    assert list(near.get_xdata()) == [0.8, 8.0, 80.0]
    assert list(far.get_ydata()) == [2.5, 25.0, 100.0]
    assert max(model.get_ydata()) == 100
    assert texts(axes) == ["10", "10"]
    assert legend(axes) == ["model", NEAR, FAR]
    assert axes.get_ylim()[0] == 0


def test_more_than_three_distances_are_refused(drawn):
    four = throughput("a", "b", "c", "d")
    with pytest.raises(UsageError, match="at most 3 distances"):
        plots.throughput_by_prefetch(four, four)
    assert drawn == []


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (plots.prefetch_clock, clock(1, 0.0)),
        (plots.ready_and_unacked, watched(1)),
        (plots.uneven_workers, uneven("fast", "slow")),
        (plots.prefetch_knee, throughput(NEAR).assign(needed=1.0, busy=1.0)),
        (lambda frame: plots.throughput_by_prefetch(frame, throughput(NEAR)), throughput(NEAR)),
        (lambda frame: plots.throughput_by_prefetch(throughput(NEAR), frame), throughput(NEAR)),
    ],
    ids=["clock", "ready", "uneven", "knee", "measured", "model"],
)
def test_a_missing_column_or_an_empty_frame_is_named(drawn, draw, frame):
    with pytest.raises(UsageError, match="lacks the columns prefetch"):
        draw(frame.drop(columns="prefetch"))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])
    assert drawn == []


def test_titles_name_the_measurement(drawn):
    plots.prefetch_clock(clock(1, 0.0))
    plots.ready_and_unacked(watched(1))
    plots.throughput_by_prefetch(throughput(NEAR), throughput(NEAR))
    plots.uneven_workers(uneven("fast", "slow"))
    plots.prefetch_knee(throughput(NEAR).assign(needed=1.0, busy=1.0))
    assert [figure.get_suptitle() for figure in drawn] == [
        "one worker's clock, as the model draws it",
        "one queue while a worker drains it, seen by the broker",
        "throughput by prefetch and distance from the broker",
        "a fast and a slow worker share one queue",
        "how busy the worker is, by prefetch over 1 + RTT / S",
    ]
