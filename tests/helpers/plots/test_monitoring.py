"""Tests of the figures about monitoring: curves, bars, rows, scales."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers import plots
from helpers.errors import UsageError
from helpers.plots import monitoring
from tests.support.figure_words import labels, legend, texts

mpl.use("Agg")


READINGS = pd.DataFrame(
    {
        "t_s": [0.0, 1.0, 2.0],
        "truth": [1, 2, 3],
        "passive declare": [1, 2, 3],
        "management API": [None, 0, 0],
    }
)
QUEUES = pd.DataFrame(
    {
        "ready": [0, 2000, 300, 600, 0],
        "consumers": [1, 1, 0, 1, 1],
        "grows_per_s": [0.0, -50.0, 3.0, 60.0, 0.0],
        "wait_s": [float("inf"), 20.0, float("inf"), 600.0, 0.0],
    },
    index=["index", "export", "audit", "search", "notify"],
)
HISTORY = pd.DataFrame(
    [
        ("Stuck", "index", "pending", 3.0),
        ("Blocked", "", "pending", 0.0),
        ("Blocked", "", "firing", 1.0),
        ("Blocked", "", "firing", 2.0),
    ],
    columns=["alert", "queue", "state", "t_s"],
)
LAG = pd.DataFrame(
    [("index", 1.0, 100, 0.5, 0.6), ("index", 2.0, 200, 1.0, 1.1), ("bill", 1.0, 9, 2.0, 1.9)],
    columns=["queue", "t_s", "ready", "age_s", "estimate_s"],
)


def test_old_numbers_has_a_panel_for_each_source_with_right_and_wrong_answers(drawn):
    plots.old_numbers(READINGS)
    declared, asked = drawn[0].axes
    assert drawn[0].get_suptitle() == "one queue's depth: the truth, and the answers of each source"
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in (declared, asked)]
    assert titles == ["passive declare", "management API"]
    assert (declared.get_xlabel(), declared.get_ylabel()) == ("time [s]", "messages ready")
    truth, right = declared.lines
    assert list(truth.get_ydata()) == list(right.get_ydata()) == [1, 2, 3]
    wrong = asked.lines[1]
    assert list(wrong.get_ydata()) == [0, 0]
    assert (right.get_label(), wrong.get_label()) == ("right", "wrong")
    assert right.get_marker() != wrong.get_marker()
    assert declared.get_ylim()[0] == asked.get_ylim()[0] == 0


def test_old_numbers_shades_the_times_without_an_answer(drawn):
    plots.old_numbers(READINGS)
    declared, asked = drawn[0].axes
    (shade,) = asked.patches
    assert (shade.get_x(), shade.get_width()) == (0, 1)
    assert list(declared.patches) == []
    entries = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert entries == ["truth", "right", "wrong", "no answer yet"]


def test_old_numbers_of_a_source_that_never_answers(drawn):
    plots.old_numbers(READINGS.assign(**{"management API": float("nan")}))
    axes = drawn[0].axes[1]
    assert len(axes.lines) == 1
    assert sum(shade.get_width() for shade in axes.patches) == 2


def test_depth_and_wait_draws_a_pair_of_bars_per_queue(drawn):
    plots.depth_and_wait(QUEUES)
    left, right = drawn[0].axes
    assert labels(left.yaxis) == list(QUEUES.index)
    assert [bar.get_width() for bar in left.patches] == [0, 2000, 300, 600, 0]
    assert texts(left) == ["0", "2,000", "300", "600", "0"]
    assert right.get_xscale() == "log"
    assert right.get_xlabel() == "wait of a new message [s]"
    assert texts(right)[:5] == ["stuck", "20 s", "no consumer", "600 s", "under 1 s"]
    widths = [bar.get_width() for bar in right.patches]
    assert widths == [18000, 20, 18000, 600, monitoring.LEAST_S]
    assert right.patches[0].get_hatch() != right.patches[1].get_hatch()


def test_a_queue_that_grows_never_drains_and_one_without_messages_has_nothing_to_drain(drawn):
    plots.depth_and_wait(QUEUES)
    assert texts(drawn[0].axes[1])[5:] == ["drains in", "", "40 s", "never", "never", ""]


def test_alerts_draws_a_row_per_alert_first_come_first(drawn):
    plots.alerts(HISTORY)
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["Blocked", "Stuck  index"]
    assert axes.get_xlim() == (0, 4)
    spans = [path.get_extents().x0 for bars in axes.collections for path in bars.get_paths()]
    assert sorted(spans) == [0, 1, 2, 3]
    assert legend(axes) == ["pending", "firing"]
    hatches = {bars.get_hatch() for bars in axes.collections if bars.get_paths()}
    assert len(hatches) == 2, "different without colour"


def test_alerts_that_were_pending_only_stand_below_and_say_so(drawn):
    plots.alerts(HISTORY, speed=100)
    (axes,) = drawn[0].axes
    assert texts(axes) == ["not for long enough: did not fire"]
    assert axes.texts[0].xy == (4, 1)
    assert list(axes.lines[0].get_ydata()) == [0.5, 0.5]
    assert "1/100" in axes.get_xlabel()


def test_one_incident_has_a_panel_per_metric_from_zero(drawn):
    plots.one_incident(READINGS.drop(columns=["truth", "management API"]).assign(acked=0))
    declared, acked = drawn[0].axes
    assert declared.get_title(loc="left") == "passive\ndeclare"
    assert list(declared.lines[0].get_ydata()) == [1, 2, 3]
    assert acked.get_ylim() == (0, 1.1), "nothing is a flat line at the bottom"


def test_behind_draws_messages_and_seconds_on_separate_axes(drawn):
    plots.behind(LAG)
    left, right = drawn[0].axes
    assert left.get_ylabel() == "messages ready"
    assert right.get_ylabel() == "age of the oldest [s]"
    assert [list(line.get_ydata()) for line in left.lines] == [[100, 200], [9]]
    curves = [list(line.get_ydata()) for line in right.lines if len(line.get_ydata())]
    assert curves == [[0.5, 1.0], [0.6, 1.1], [2.0], [1.9]]
    assert left.get_ylim()[1] > 2 * right.get_ylim()[1], "the scales are not shared"
    assert left.get_ylim()[0] == right.get_ylim()[0] == 0


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (plots.old_numbers, READINGS),
        (plots.depth_and_wait, QUEUES),
        (plots.one_incident, READINGS),
        (plots.alerts, HISTORY),
        (plots.behind, LAG),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(drawn, draw, frame):
    with pytest.raises(UsageError, match="lacks the columns"):
        draw(frame.drop(columns="t_s" if frame is READINGS else frame.columns[-1]))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])
    assert drawn == []


def test_numbers_without_a_source_are_refused(drawn):
    with pytest.raises(UsageError, match="no source beside `truth`"):
        plots.old_numbers(READINGS[["t_s", "truth"]])
    with pytest.raises(UsageError, match="no metric beside `t_s`"):
        plots.one_incident(READINGS[["t_s"]])
    assert drawn == []


def test_unknown_words_are_refused(drawn):
    with pytest.raises(UsageError, match="asleep"):
        plots.alerts(HISTORY.assign(state="asleep"))
    with pytest.raises(UsageError, match="at most 2"):
        plots.behind(pd.concat([LAG, LAG.assign(queue="a"), LAG.assign(queue="b")]))
