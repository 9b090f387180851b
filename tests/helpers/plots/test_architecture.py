"""Tests of the figures about event-driven architecture: dots, lanes, moments, fates."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.plots import architecture, style
from tests.support.figure_words import labels, legend, texts

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb


def requests():
    rows = [("calls", 1, 20.0), ("calls", 1, 30.0), ("calls", 1, 22.0), ("calls", 8, 160.0),
            ("event", 1, 2.0), ("event", 8, 4.0)]  # fmt: skip
    return pd.DataFrame(rows, columns=["way", "services", "latency_ms"])


def test_calls_and_events_has_a_dot_per_request_and_a_line_of_medians_per_way(drawn):
    architecture.calls_and_events(requests())
    (axes,) = drawn[0].axes
    dots = [line for line in axes.lines if line.get_linestyle() == "None"]
    lines = [line for line in axes.lines if line.get_linestyle() != "None"]
    assert [len(line.get_xdata()) for line in dots] == [4, 2]
    assert [list(line.get_ydata()) for line in lines] == [[22.0, 160.0], [2.0, 4.0]]
    assert texts(axes) == ["calls", "event"]


def test_calls_and_events_starts_at_zero_and_names_the_measured_counts(drawn):
    architecture.calls_and_events(requests())
    (axes,) = drawn[0].axes
    assert axes.get_ylim()[0] == 0
    assert labels(axes.xaxis) == ["1", "8"]
    assert "[ms]" in axes.get_ylabel()


def test_ways_differ_in_colour_marker_and_line():
    looks = list(architecture.WAYS.values())
    assert all(len(set(of)) == 2 for of in zip(*looks, strict=True))


def seen():
    rows = [("old", 0), ("old", 1), ("old", 2), ("new", 2)]
    return pd.DataFrame(rows, columns=["reader", "event"])


def test_seen_events_has_a_lane_per_reader_with_its_events_and_their_count(drawn):
    architecture.seen_events(seen(), published=3, newcomers_at=2)
    (axes,) = drawn[0].axes
    lanes = {
        int(line.get_ydata()[0]): list(line.get_xdata())
        for line in axes.lines
        if line.get_marker() == "|"
    }
    assert lanes == {0: [0, 1, 2], 1: [2]}
    assert labels(axes.yaxis) == ["old", "new"]
    assert texts(axes) == ["3 of 3", "1 of 3", "newcomers come"]


def test_seen_events_counts_an_event_once(drawn):
    architecture.seen_events(pd.concat([seen(), seen()]), published=3, newcomers_at=2)
    assert "3 of 3" in texts(drawn[0].axes[0])


def test_seen_events_marks_the_moment_before_the_newcomers_first_event(drawn):
    architecture.seen_events(seen(), published=3, newcomers_at=2)
    (line,) = [line for line in drawn[0].axes[0].lines if line.get_marker() != "|"]
    assert list(line.get_xdata()) == [1.5, 1.5]


def handled():
    rows = [("notify", 0.1), ("notify", 0.9), ("audit", 0.1), ("audit", 0.5)]
    return pd.DataFrame(rows, columns=["service", "t_s"])


def test_outage_has_a_lane_per_service_and_a_mark_per_event(drawn):
    architecture.outage(handled(), dead_s=(0.2, 0.8), who="notify")
    (axes,) = drawn[0].axes
    lanes = [list(line.get_xdata()) for line in axes.lines if line.get_marker() == "|"]
    assert lanes == [[0.1, 0.5], [0.1, 0.9]]
    assert labels(axes.yaxis) == ["audit", "notify"]
    assert axes.get_xlabel() == "time [s]"


def test_outage_bounds_and_names_the_time_of_death(drawn):
    architecture.outage(handled(), dead_s=(0.2, 0.8), who="notify")
    (axes,) = drawn[0].axes
    moments = [line.get_xdata()[0] for line in axes.lines if line.get_marker() != "|"]
    assert moments == [0.2, 0.8]
    (text,) = axes.texts
    assert text.get_text() == "notify is dead"
    assert text.get_position()[0] == 0.5


def writes():
    fates = {"fine": (1, 1), "lost": (1, 0), "ghost": (0, 1), "none": (0, 0), "twice": (1, 2)}
    rows = [("design", number, *fate) for number, fate in enumerate(fates.values())]
    return pd.DataFrame(rows, columns=["design", "document", "saved", "published"])


def test_two_writes_has_a_cell_per_design_and_document_that_names_the_fate(drawn):
    architecture.two_writes(pd.concat([writes(), writes().assign(design="other")]))
    (axes,) = drawn[0].axes
    words = {text.get_position(): text.get_text() for text in axes.texts}
    named = {1: "lost", 2: "ghost", 3: "none", 4: "twice"}
    assert words == {(n, row): text for row in (0, 1) for n, text in named.items()}
    assert len(axes.patches) == 10
    assert labels(axes.yaxis) == ["design", "other"]
    assert labels(axes.xaxis) == ["0", "1", "2", "3", "4"]


def test_fates_differ_in_colour_and_in_hatch_or_line(drawn):
    architecture.two_writes(writes())
    patches = drawn[0].axes[0].patches
    assert len({to_rgb(patch.get_edgecolor()) for patch in patches}) == 5
    assert len({(patch.get_hatch(), str(patch.get_linestyle())) for patch in patches}) == 5
    assert to_hex(patches[1].get_edgecolor()).upper() == style.ROLES["lost"].colour


def test_two_writes_explains_every_fate_also_when_none_has_it(drawn):
    architecture.two_writes(writes().iloc[:1])
    assert legend(drawn[0].axes[0]) == [name for name, _, _ in architecture.FATES.values()]


@pytest.mark.parametrize(
    ("saved", "published", "fate"), [(1, 1, "both"), (0, 2, "twice"), (2, 1, "both")]
)
def test_a_fate_depends_on_both_counts(saved, published, fate):
    assert architecture._fate(saved, published) == fate


@pytest.mark.parametrize(
    ("draw", "frame", "message"),
    [
        (architecture.calls_and_events, requests().iloc[:0], "frame is empty"),
        (architecture.calls_and_events, requests().drop(columns="way"), "lacks the columns way"),
        (architecture.calls_and_events, requests().assign(way="pigeon"), "way must be one of"),
        (
            lambda f: architecture.seen_events(f, published=1, newcomers_at=0),
            seen().drop(columns="event"),
            "lacks the columns event",
        ),
        (
            lambda f: architecture.outage(f, dead_s=(0, 1), who="x"),
            handled().iloc[:0],
            "frame is empty",
        ),
        (architecture.two_writes, writes().drop(columns="saved"), "lacks the columns saved"),
    ],
)
def test_an_invalid_frame_is_refused(drawn, draw, frame, message):
    with pytest.raises(UsageError, match=message):
        draw(frame)
    assert drawn == []


def test_no_figure_stays_open(drawn):
    before = plt.get_fignums()
    architecture.calls_and_events(requests())
    architecture.seen_events(seen(), published=3, newcomers_at=2)
    architecture.outage(handled(), dead_s=(0.2, 0.8), who="notify")
    architecture.two_writes(writes())
    assert plt.get_fignums() == before
