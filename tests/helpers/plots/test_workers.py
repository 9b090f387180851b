"""Tests of the figures about workers: waits, work done, jobs left, lanes, fates."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.plots import style, workers
from tests.support.figure_words import labels, legend

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb


def latencies():
    both = {"inline": pd.Series([300.0, 100.0, 200.0]), "queued": pd.Series([10.0, 30.0, 20.0])}
    return pd.concat(both)


def made():
    rows = [("inline", 0.0, 0), ("inline", 0.5, 3), ("queued", 0.0, 0), ("queued", 0.6, 3)]
    return pd.DataFrame(rows, columns=["way", "t_s", "made"])


def test_answers_are_a_distribution_with_their_percentiles(drawn):
    workers.inline_and_queued(latencies(), made())
    left, _ = drawn[0].axes
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in left.lines] == [
        ([100, 200, 300], [1, 2, 3]),
        ([10, 20, 30], [1, 2, 3]),
    ]
    assert legend(left) == ["inline: p50 200, p99 298 ms", "queued: p50 20, p99 30 ms"]
    assert (left.get_xlabel(), left.get_ylabel()) == ("latency of the answer [ms]", "requests")


def test_work_done_is_beside_it_on_the_same_scale(drawn):
    workers.inline_and_queued(latencies(), made())
    left, right = drawn[0].axes
    assert [list(line.get_xdata()) for line in right.lines] == [[0.0, 0.5], [0.0, 0.6]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0, 3], [0, 3]]
    assert left.get_ylim() == right.get_ylim()
    assert left.get_xlim()[0] == left.get_ylim()[0] == 0
    assert "the same load" in drawn[0].get_suptitle()


def test_the_two_ways_differ_in_colour_and_marker(drawn):
    workers.inline_and_queued(latencies(), made())
    looks = {(to_rgb(line.get_color()), line.get_marker()) for line in drawn[0].axes[0].lines}
    assert len(looks) == 2


def curves(names=("1 worker", "4 workers")):
    rows = [(name, t, 12 - 6 * t) for name in names for t in (0, 1, 2)]
    return pd.DataFrame(rows, columns=["setup", "t_s", "left"])


def test_every_set_up_has_a_curve_of_its_jobs_left(drawn):
    workers.drain_by_workers(curves())
    (axes,) = drawn[0].axes
    assert legend(axes) == ["1 worker", "4 workers"]
    assert [list(line.get_ydata()) for line in axes.lines] == [[12, 6, 0]] * 2
    assert axes.get_ylabel() == "jobs left"
    assert axes.get_ylim()[0] == 0


def test_four_curves_differ_without_colour(drawn):
    workers.drain_by_workers(curves("abcd"))
    lines = drawn[0].axes[0].lines
    assert len({line.get_marker() for line in lines}) == 4
    assert len({line.get_linestyle() for line in lines}) == 4


def lanes():
    rows = [("callback", 0.0, 5.0, "ack fails", False), ("thread", 0.5, 5.0, "acked", True)]
    return pd.DataFrame(rows, columns=["worker", "start_s", "end_s", "end", "good"])


def test_a_lane_is_a_bar_from_start_to_end_with_the_way_it_ended(drawn):
    workers.heartbeat_lanes(lanes(), heartbeat_s=2)
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["callback", "thread"]
    bars = [(bar.get_x(), bar.get_width(), bar.get_hatch() or "") for bar in axes.patches]
    assert bars == [(0.0, 5.0, style.ROLES["lost"].hatch), (0.5, 4.5, "")]
    assert [note.get_text() for note in axes.texts] == ["ack fails", "acked"]


def test_the_grid_is_the_heartbeat(drawn):
    workers.heartbeat_lanes(lanes(), heartbeat_s=2)
    assert list(drawn[0].axes[0].get_xticks()) == [0, 2, 4]
    assert "heartbeat 2 s" in drawn[0].get_suptitle()


def answers():
    rows = [
        ("a", "up", 202, True),
        ("a", "down", 202, False),
        ("b", "up", 503, False),
        ("b", "down", 0, False),
        ("c", "up", 500, False),
        ("c", "down", 202, True),
        ("c", "down", 202, True),
        ("c", "down", 503, False),
    ]
    return pd.DataFrame(rows, columns=["way", "phase", "status", "queued"])


def test_each_way_and_phase_has_a_cell_with_the_most_frequent_fate(drawn):
    workers.outage_answers(answers())
    (axes,) = drawn[0].axes
    assert labels(axes.xaxis) == ["up", "down"]
    assert labels(axes.yaxis) == ["a", "b", "c"]
    assert {text.get_position(): text.get_text() for text in axes.texts} == {
        (0, 0): "accepted, queued",
        (1, 0): "accepted, lost",
        (0, 1): "refused: 503",
        (1, 1): "no answer",
        (0, 2): "error: 500",
        (1, 2): "accepted, queued",
    }


def test_the_five_fates_differ_in_colour_and_hatch(drawn):
    workers.outage_answers(answers())
    looks = {(to_hex(p.get_edgecolor()), p.get_hatch()) for p in drawn[0].axes[0].patches}
    assert len({colour for colour, _ in looks}) == len({hatch for _, hatch in looks}) == 5


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: workers.inline_and_queued(latencies(), made().iloc[:0]), "frame is empty"),
        (lambda: workers.inline_and_queued(latencies().loc[["inline"]], made()), "two ways"),
        (lambda: workers.drain_by_workers(curves("abcde")), "at most 4 set-ups"),
        (lambda: workers.drain_by_workers(curves().drop(columns="left")), "lacks the columns left"),
        (lambda: workers.heartbeat_lanes(lanes(), heartbeat_s=0), "heartbeat_s must be above 0"),
        (lambda: workers.heartbeat_lanes(lanes().iloc[:0], heartbeat_s=1), "frame is empty"),
        (lambda: workers.outage_answers(answers().drop(columns="way")), "lacks the columns way"),
    ],
)
def test_an_invalid_frame_is_refused(drawn, draw, message):
    with pytest.raises(UsageError, match=message):
        draw()
    assert drawn == []


def test_no_figure_stays_open(drawn):
    before = plt.get_fignums()
    workers.inline_and_queued(latencies(), made())
    workers.drain_by_workers(curves())
    workers.heartbeat_lanes(lanes(), heartbeat_s=2)
    workers.outage_answers(answers())
    assert plt.get_fignums() == before
