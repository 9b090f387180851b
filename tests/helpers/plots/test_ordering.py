"""Tests of the figures about order: bars, markers, panels, titles."""

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError
from tests.support.figure_words import labels, legend, texts


def setups():
    rows = [("one consumer", 0, 0), ("four consumers", 180, 30), ("hash + SAC", 270, 0)]
    return pd.DataFrame(rows, columns=["setup", "overall", "per_key"])


def worked(setup, *steps):
    rows = [(setup, t / 1000, number, consumer) for t, number, consumer in steps]
    return pd.DataFrame(rows, columns=["setup", "t_s", "number", "consumer"])


KILLED = worked("killed", (5, 0, "A"), (8, 1, "A"), (20, 1, "B"), (23, 2, "B"))


def buffered():
    rows = [(0, 1.000, 1.000), (2, 1.010, 1.030), (1, 1.030, 1.030)]
    return pd.DataFrame(rows, columns=["number", "arrived_s", "released_s"])


def test_inversions_have_a_bar_for_each_setup_overall_and_within_a_document(drawn):
    plots.inversions(setups())
    overall, per_key = drawn[0].axes
    assert [overall.get_title(loc="left"), per_key.get_title(loc="left")] == [
        "overall",
        "within a document",
    ]
    assert [bar.get_width() for bar in overall.patches] == [0, 180, 270]
    assert [bar.get_width() for bar in per_key.patches] == [0, 30, 0]
    assert texts(overall) == ["0  in order", "180", "270"]
    assert texts(per_key) == ["0  in order", "30", "0  in order"]
    assert labels(overall.yaxis) == ["one consumer", "four consumers", "hash + SAC"]
    top, bottom = reversed(overall.get_ylim())
    assert top < bottom  # the first set-up stands at the top
    assert overall.get_xlim()[0] == per_key.get_xlim()[0] == 0
    assert {bar.get_hatch() for bar in overall.patches} != {None, ""}


def test_a_count_of_zero_has_words_beside_its_colour(drawn):
    plots.inversions(setups())
    zero, some, _ = drawn[0].axes[0].texts
    assert zero.get_color() != some.get_color()
    assert "in order" in zero.get_text()


def test_inversions_can_all_be_zero(drawn):
    plots.inversions(setups().assign(overall=0, per_key=0))
    assert [axes.get_xlim() for axes in drawn[0].axes] == [(0, 1.25)] * 2


def test_a_failover_has_a_marker_for_each_consumer_and_circles_events_worked_on_twice(drawn):
    plots.failover(KILLED)
    (axes,) = drawn[0].axes
    a, b, twice, takeover = axes.lines
    assert list(a.get_xdata()) == pytest.approx([0, 3])
    assert list(b.get_ydata()) == [1, 2]
    assert a.get_marker() != b.get_marker()
    assert list(twice.get_ydata()) == [1, 1]
    assert list(takeover.get_xdata()) == pytest.approx([15, 15])
    assert legend(axes) == ["A", "B", "worked on twice"]
    assert axes.get_title(loc="left") == "killed"
    assert axes.get_xlabel() == "time [ms]"


def test_a_failover_without_repeats_does_not_explain_them(drawn):
    plots.failover(worked("closed", (0, 0, "A"), (5, 2, "B"), (8, 1, "B")))
    assert legend(drawn[0].axes[0]) == ["A", "B"]


def test_each_set_up_has_its_panel_and_begins_at_zero(drawn):
    plots.failover(pd.concat([KILLED, worked("closed", (900, 0, "A"), (905, 1, "B"))]))
    killed, closed = drawn[0].axes
    assert [killed.get_title(loc="left"), closed.get_title(loc="left")] == ["killed", "closed"]
    assert list(closed.lines[0].get_xdata()) == [0]


def test_three_consumers_are_refused(drawn):
    with pytest.raises(UsageError, match="at most 2 consumers can be drawn, not 3"):
        plots.failover(worked("killed", (0, 0, "A"), (1, 1, "B"), (2, 2, "C")))
    assert drawn == []


def test_resequencing_shows_arrival_wait_and_release_of_each_event(drawn):
    plots.resequencing(buffered())
    (axes,) = drawn[0].axes
    arrives, released = axes.lines
    assert list(arrives.get_xdata()) == pytest.approx([0, 10, 30])
    assert list(released.get_xdata()) == pytest.approx([0, 30, 30])
    assert list(released.get_ydata()) == [0, 2, 1]
    (waits,) = axes.collections
    ends = [segment[:, 0].tolist() for segment in waits.get_segments()]
    assert ends == [pytest.approx(pair) for pair in ([0, 0], [10, 30], [30, 30])]
    assert set(legend(axes)) == {"waits in the buffer", "arrives", "is released"}
    assert "[ms]" in axes.get_xlabel()


@pytest.mark.parametrize(
    ("draw", "frame", "column"),
    [
        (plots.inversions, setups(), "per_key"),
        (plots.failover, KILLED, "consumer"),
        (plots.resequencing, buffered(), "released_s"),
    ],
    ids=["inversions", "failover", "resequencing"],
)
def test_a_missing_column_or_an_empty_frame_is_named(drawn, draw, frame, column):
    with pytest.raises(UsageError, match=f"lacks the columns {column}"):
        draw(frame.drop(columns=column))
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(frame.iloc[:0])
    assert drawn == []


def test_titles_name_the_measurement(drawn):
    plots.inversions(setups())
    plots.failover(KILLED)
    plots.resequencing(buffered())
    assert [figure.get_suptitle() for figure in drawn] == [
        "inversions: pairs of events worked on in the wrong order",
        "who worked on which event, while the active consumer ends",
        "each event's time in the reordering buffer",
    ]
