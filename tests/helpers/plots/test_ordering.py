"""Tests of the figures about order: bars, markers, panels, titles."""

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError
from tests.support.figure_words import labels, legend, texts


def setups():
    rows = [("four consumers", 180, 30, 2.7), ("Kafka", 90, 0, None), ("one consumer", 0, 0, 1.0),
            ("hash + SAC", 270, 0, 2.1)]  # fmt: skip
    return pd.DataFrame(rows, columns=["setup", "overall", "per_key", "times_as_fast"])


def worked(setup, *steps):
    rows = [(setup, t / 1000, number, consumer) for t, number, consumer in steps]
    return pd.DataFrame(rows, columns=["setup", "t_s", "number", "consumer"])


KILLED = worked("killed", (5, 0, "A"), (8, 1, "A"), (20, 1, "B"), (23, 2, "B"))


def buffered():
    rows = [("a", 0, 1.000, 1.000), ("a", 2, 1.010, 1.030), ("a", 1, 1.030, 1.030),
            ("b", 4, 1.020, 1.090)]  # fmt: skip
    return pd.DataFrame(rows, columns=["key", "number", "arrived_s", "released_s"])


def test_inversions_have_a_bar_for_each_setup_the_best_and_fastest_first(drawn):
    plots.inversions(setups())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["hash + SAC", "one consumer", "Kafka", "four consumers"]
    assert [bar.get_width() for bar in axes.patches] == [0, 0, 0, 30]
    assert texts(axes)[:4] == ["0  in order"] * 3 + ["30"]
    top, bottom = reversed(axes.get_ylim())
    assert top < bottom  # the first set-up stands at the top
    assert axes.get_xlim()[0] == 0
    assert {bar.get_hatch() for bar in axes.patches} != {None, ""}


def test_disorder_between_documents_and_speed_stand_beside_the_bars(drawn):
    plots.inversions(setups())
    (axes,) = drawn[0].axes
    assert axes.get_title(loc="left") == "within a document"
    assert texts(axes)[4:9] == ["overall", "270", "0", "90", "180"]
    assert texts(axes)[9:] == ["times\nas fast", "2.1", "1.0", "", "2.7"]


def test_a_count_of_zero_has_words_beside_its_colour(drawn):
    plots.inversions(setups())
    zero, _, _, some, *_ = drawn[0].axes[0].texts
    assert zero.get_color() != some.get_color()
    assert "in order" in zero.get_text()


def test_inversions_can_all_be_zero(drawn):
    plots.inversions(setups().assign(overall=0, per_key=0))
    assert drawn[0].axes[0].get_xlim() == (0, 1.12)


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
    arrives, released, _ = axes.lines
    assert list(arrives.get_xdata()) == pytest.approx([0, 10, 30, 20])
    assert list(released.get_xdata()) == pytest.approx([0, 30, 30, 90])
    assert list(released.get_ydata()) == [0, 2, 1, 4]
    (waits,) = axes.collections
    ends = [segment[:, 0].tolist() for segment in waits.get_segments()]
    assert ends == [pytest.approx(pair) for pair in ([0, 0], [10, 30], [30, 30], [20, 90])]
    assert set(legend(axes)) == {"waits in the buffer", "arrives", "is released"}
    assert "[ms]" in axes.get_xlabel()


def test_resequencing_has_a_band_for_each_key_the_first_on_top(drawn):
    plots.resequencing(buffered())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["a", "b"]
    assert list(axes.get_yticks()) == [1, 4]
    assert axes.get_ylim() == (4.5, -0.5)
    (band,) = axes.patches
    assert (band.get_y(), band.get_height()) == (-0.5, 3)


def test_resequencing_names_the_event_that_is_missing(drawn):
    plots.resequencing(buffered())
    (axes,) = drawn[0].axes
    mark = axes.lines[2]
    assert (list(mark.get_xdata()), list(mark.get_ydata())) == ([pytest.approx(20)], [3])
    assert texts(axes) == ["event 3 never arrives"]


@pytest.mark.parametrize(
    ("draw", "frame", "column"),
    [
        (plots.inversions, setups(), "times_as_fast"),
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
