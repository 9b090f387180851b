"""Tests of the figures about workers: waits, work done, jobs left, lanes, fates."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.plots import style, workers
from tests.support.figure_words import labels, legend, texts

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb


def latencies():
    both = {"inline": pd.Series([300.0, 100.0, 200.0]), "queued": pd.Series([10.0, 30.0, 20.0])}
    return pd.concat(both)


def made():
    rows = [("inline", 0.0, 0), ("inline", 0.5, 3), ("queued", 0.0, 0), ("queued", 0.6, 3)]
    return pd.DataFrame(rows, columns=["way", "t_s", "made"])


def test_answers_are_a_strip_of_dots_each_with_median_and_slowest(drawn):
    workers.inline_and_queued(latencies(), made())
    left, _ = drawn[0].axes
    dots, medians = left.lines[::2], left.lines[1::2]
    assert [list(line.get_xdata()) for line in dots] == [[300, 100, 200], [10, 30, 20]]
    assert {line.get_linestyle() for line in dots} == {"None"}
    assert [set(line.get_xdata()) for line in medians] == [{200}, {20}]
    assert texts(left) == [
        "inline: median 200, slowest 300 ms",
        "queued: median 20, slowest 30 ms",
    ]
    assert (left.get_xscale(), left.get_xlim()) == ("log", (1, 1000))
    assert left.get_xlabel() == "latency of the answer [ms]"


def test_the_strips_stand_below_each_other_with_the_words_above_their_dots(drawn):
    workers.inline_and_queued(latencies(), made())
    left, _ = drawn[0].axes
    left.figure.canvas.draw()
    dots = [line.get_window_extent() for line in left.lines[::2]]
    words = [text.get_window_extent() for text in left.texts]
    assert words[0].y0 > dots[0].y1 > dots[0].y0 > words[1].y1 > words[1].y0 > dots[1].y1


def test_work_done_is_beside_it_and_shows_both_ways_where_they_agree(drawn):
    workers.inline_and_queued(latencies(), made())
    _, right = drawn[0].axes
    assert [list(line.get_xdata()) for line in right.lines] == [[0.0, 0.5], [0.0, 0.6]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0, 3], [0, 3]]
    assert right.get_xlim()[0] == right.get_ylim()[0] == 0
    assert legend(right) == ["inline", "queued"]
    under, over = right.lines
    assert under.get_linewidth() > 3 * over.get_linewidth()
    assert under.get_zorder() < over.get_zorder()
    assert "the same load" in drawn[0].get_suptitle()


def test_the_two_ways_differ_in_colour_and_marker(drawn):
    workers.inline_and_queued(latencies(), made())
    dots = drawn[0].axes[0].lines[::2]
    assert len({to_rgb(line.get_color()) for line in dots}) == 2
    assert len({line.get_marker() for line in dots}) == 2


def curves(names=("1 worker", "4 workers")):
    rows = [(name, t, 12 - 6 * t) for name in names for t in (0, 1, 2)]
    return pd.DataFrame(rows, columns=["setup", "t_s", "left"])


def test_every_set_up_has_a_curve_of_its_jobs_left_with_its_name_beside_it(drawn):
    workers.drain_by_workers(curves())
    (axes,) = drawn[0].axes
    assert texts(axes) == ["1 worker", "4 workers"]
    assert [list(line.get_ydata()) for line in axes.lines] == [[12, 6, 0]] * 2
    for name, line in zip(axes.texts, axes.lines, strict=True):
        assert name.xy[0] in line.get_xdata()
    assert axes.get_ylabel() == "jobs left"
    assert axes.get_ylim()[0] == 0


def test_four_curves_that_agree_differ_without_colour_and_their_names_do_not_meet(drawn):
    workers.drain_by_workers(curves("abcd"))
    (axes,) = drawn[0].axes
    looks = {(line.get_marker(), line.get_linestyle(), line.get_linewidth()) for line in axes.lines}
    assert len(looks) == 4
    band = axes.lines[-1]
    assert all(band.get_linewidth() > 3 * line.get_linewidth() for line in axes.lines[:-1])
    assert all(band.get_zorder() < line.get_zorder() for line in axes.lines[:-1])
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])


def lanes(again_s=3.9):
    rows = [
        ("callback", 0.0, 5.0, "ack fails", "lost"),
        ("colleague", again_s, 5.0, "done again", "duplicated"),
        ("thread", 0.0, 5.0, "acked", "acked"),
    ]
    return pd.DataFrame(rows, columns=["worker", "start_s", "end_s", "end", "role"])


def test_a_lane_is_a_bar_from_start_to_end_with_the_way_it_ended(drawn):
    workers.heartbeat_lanes(lanes(again_s=4), heartbeat_s=2)
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["callback", "colleague", "thread"]
    bars = [(bar.get_x(), bar.get_width(), bar.get_hatch() or "") for bar in axes.patches]
    hatches = [style.ROLES[role].hatch for role in ("lost", "duplicated", "acked")]
    assert bars == [(0, 5, hatches[0]), (4, 1, hatches[1]), (0, 5, hatches[2])]
    assert texts(axes)[:3] == ["ack fails", "done again", "acked"]


def test_the_checks_lead_to_the_one_before_the_job_was_given_again(drawn):
    workers.heartbeat_lanes(lanes(), heartbeat_s=2)
    workers.heartbeat_lanes(lanes().iloc[[0, 2]], heartbeat_s=2)
    (axes,) = drawn[0].axes
    assert [line.get_xdata()[0] for line in axes.lines] == [3.9, pytest.approx(1.9)]
    assert texts(axes)[3:] == ["server checks,\ncloses", "server\nchecks"]
    assert list(axes.get_xticks()) == [0, 2, 4]
    assert "heartbeat 2 s" in drawn[0].get_suptitle()
    assert list(drawn[1].axes[0].lines) == []


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
