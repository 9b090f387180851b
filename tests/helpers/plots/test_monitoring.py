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
        "published": [1, 2, 3],
        "passive declare": [1, 2, 3],
        "management API": [None, 0, 0],
    }
)
QUEUES = pd.DataFrame(
    {"ready": [0, 2000, 300], "drain_s": [0.0, 20.0, float("inf")]},
    index=["index", "export", "audit"],
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


def test_old_numbers_draws_each_source_and_leaves_out_missing_answers(drawn):
    plots.old_numbers(READINGS)
    (axes,) = drawn[0].axes
    assert drawn[0].get_suptitle() == "one queue's depth, by source"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time [s]", "messages ready")
    curves = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert curves == {
        "published": [1, 2, 3],
        "passive declare": [1, 2, 3],
        "management API": [0, 0],
    }
    looks = {(line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert len(looks) == 3, "different without colour"


def test_depth_and_drain_draws_a_pair_of_bars_per_queue(drawn):
    plots.depth_and_drain(QUEUES)
    left, right = drawn[0].axes
    assert labels(left.yaxis) == list(QUEUES.index)
    assert [bar.get_width() for bar in left.patches] == [0, 2000, 300]
    assert texts(left) == ["0", "2,000", "300"]
    assert right.get_xscale() == "log"
    assert texts(right) == ["under 1 s", "20 s", "never"]
    widths = [bar.get_width() for bar in right.patches]
    assert widths == [monitoring.LEAST_S, 20, 200]
    assert right.patches[1].get_hatch() != right.patches[2].get_hatch()


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
        (plots.depth_and_drain, QUEUES),
        (plots.alerts, HISTORY),
        (plots.behind, LAG),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(drawn, draw, frame):
    with pytest.raises(UsageError, match="lacks the columns"):
        draw(frame.drop(columns=frame.columns[-1] if draw is not plots.old_numbers else "t_s"))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])
    assert drawn == []


def test_unknown_words_are_refused(drawn):
    with pytest.raises(UsageError, match="gossip"):
        plots.old_numbers(READINGS.assign(gossip=1))
    with pytest.raises(UsageError, match="asleep"):
        plots.alerts(HISTORY.assign(state="asleep"))
    with pytest.raises(UsageError, match="at most 2"):
        plots.behind(pd.concat([LAG, LAG.assign(queue="a"), LAG.assign(queue="b")]))
