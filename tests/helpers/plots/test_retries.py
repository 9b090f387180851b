"""Tests of the figures about retries: lanes, marks, panels, labels."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers import plots
from helpers.errors import UsageError
from helpers.plots import style
from tests.support.figure_words import labels, legend, texts

mpl.use("Agg")


def climbed(messages=3):
    rows = [(str(m), n, at + 0.1 * m) for m in range(messages) for n, at in enumerate([0, 1, 3])]
    return pd.DataFrame(rows, columns=["message", "attempt", "t_s"])


def test_ladder_has_a_mark_for_every_try_and_ticks_where_they_were_planned(drawn):
    plots.ladder(climbed(), planned_s=[0, 1, 3])
    (axes,) = drawn[0].axes
    marks = {line.get_label(): [] for line in axes.lines if line.get_linestyle() == "None"}
    for line in axes.lines:
        if line.get_linestyle() == "None":
            marks[line.get_label()] += list(line.get_xdata())
    assert marks["failed: to a delay queue"] == pytest.approx([0, 0.1, 0.2, 1, 1.1, 1.2])
    assert marks["last try failed: to the DLQ"] == pytest.approx([3, 3.1, 3.2])
    assert labels(axes.xaxis) == ["0", "1", "3"]
    assert labels(axes.yaxis) == ["message 1", "message 3"]
    assert axes.get_xlabel() == "time since the first try [s]"
    assert legend(axes) == ["planned", *marks]
    assert drawn[0].get_suptitle() == "tries of messages that always fail"


def test_ladder_dashes_the_plan(drawn):
    plots.ladder(climbed(), planned_s=[0, 1, 3])
    (axes,) = drawn[0].axes
    planned = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert planned == [0, 1, 3]


def waited():
    rows = [("together", 8, 8.1), ("together", 1, 8.1), ("apart", 1, 1.0), ("apart", 8, 8.0)]
    return pd.DataFrame(rows, columns=["setup", "due_s", "back_s"])


def test_due_and_back_draws_the_longest_wait_first_in_each_set_up(drawn):
    plots.due_and_back(waited())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["8 s", "1 s", "8 s", "1 s"]
    assert texts(axes) == ["together", "apart"]
    assert legend(axes) == ["waits", "due", "held up", "back"]


def test_due_and_back_shows_how_long_a_message_is_held_up(drawn):
    plots.due_and_back(waited())
    (axes,) = drawn[0].axes
    late = [line for line in axes.lines if line.get_linestyle() == style.ROLES["lost"].line]
    assert [tuple(line.get_xdata()) for line in late] == [(8, 8.1), (1, 8.1), (8, 8.0), (1, 1.0)]
    back = [line for line in axes.lines if line.get_marker() == style.ROLES["acked"].marker]
    assert [line.get_xdata()[0] for line in back] == [8.1, 8.1, 8.0, 1.0]


def stampedes():
    rows = [("none", at) for at in [0.0] * 5 + [1.0] * 4] + [("full", 0.0), ("full", 0.55)]
    return pd.DataFrame(rows, columns=["jitter", "t_s"])


def test_herd_names_each_jitter_and_its_numbers(drawn):
    plots.herd(stampedes(), until_s=2)
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["none", "full"]
    assert texts(axes) == [
        "5",
        "worst burst 4\n9 calls\ndone after 1 s",
        "1",
        "worst burst 1\n2 calls\ndone after 0 s",
    ]
    assert axes.get_xlabel() == "time since the first wave [s]"


def test_herd_draws_both_panels_on_the_same_scale(drawn):
    plots.herd(stampedes(), until_s=2)
    (axes,) = drawn[0].axes
    heights = [area.get_datalim(axes.transData).height for area in axes.collections]
    assert heights == pytest.approx([5, 1])


def done():
    rows = [("sleep", "retry", False, 8.0), ("sleep", "fine", True, 8.1),
            ("sleep", "fine", False, 8.2), ("queue", "fine", False, 0.1),
            ("queue", "fine", False, 0.2), ("queue", "retry", False, 8.0)]  # fmt: skip
    return pd.DataFrame(rows, columns=["setup", "kind", "held", "t_s"])


def test_done_while_waiting_has_a_line_for_each_message_up_to_its_end(drawn):
    plots.done_while_waiting(done())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["sleep", "queue"]
    ends = [line.get_xdata()[-1] for line in axes.lines[::2]]
    assert ends == [8.0, 8.1, 8.2, 8.0, 0.1, 0.2]
    assert {line.get_xdata()[0] for line in axes.lines[::2]} == {0}
    rows = [line.get_ydata()[0] for line in axes.lines[::2]]
    assert rows == sorted(set(rows))
    assert axes.get_xlabel() == "time [s]"
    assert legend(axes) == ["in the queue", "in the consumer", "the failed one", "done"]


def test_done_while_waiting_counts_what_is_done_before_the_retry(drawn):
    plots.done_while_waiting(done())
    assert [text.replace("\n", " ") for text in texts(drawn[0].axes[0])] == [
        "0 of 2 done before the retry",
        "2 of 2 done before the retry",
    ]


def test_done_while_waiting_tells_where_a_message_waits_without_colour(drawn):
    plots.done_while_waiting(done())
    failed, held, queued = (line.get_linestyle() for line in drawn[0].axes[0].lines[:6:2])
    assert len({failed, held, queued}) == 3


def test_done_while_waiting_draws_a_single_set_up(drawn):
    plots.done_while_waiting(done().query("setup == 'queue'"))
    assert len(drawn[0].axes) == 1


def test_done_while_waiting_names_an_unknown_kind():
    with pytest.raises(UsageError, match="kind must be 'fine' or 'retry', not \\['bad'\\]"):
        plots.done_while_waiting(done().replace("retry", "bad"))


DRAWINGS = {
    plots.ladder: {"planned_s": [0]},
    plots.due_and_back: {},
    plots.herd: {"until_s": 1},
    plots.done_while_waiting: {},
}


@pytest.mark.parametrize("draw", DRAWINGS, ids=lambda draw: draw.__name__)
def test_missing_columns_are_named(draw):
    with pytest.raises(UsageError, match="the frame lacks the columns"):
        draw(pd.DataFrame({"other": [1]}), **DRAWINGS[draw])


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (plots.ladder, climbed()),
        (plots.due_and_back, waited()),
        (plots.herd, stampedes()),
        (plots.done_while_waiting, done()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_empty_frame_is_refused(draw, frame):
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.head(0), **DRAWINGS[draw])
