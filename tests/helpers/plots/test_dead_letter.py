"""Tests of the figures about dead letters: markers, lanes, cells, labels."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers import plots
from helpers.errors import UsageError
from helpers.history import History
from helpers.plots import dead_letter, style
from tests.support.figure_words import labels, legend, texts

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb


def poison_events():
    rows = [
        ("publish", "fine"), ("deliver", "fine"), ("ack", "fine"),
        *[("deliver", "bad"), ("reject", "bad")] * 3,
        ("dead-letter", "bad"), ("deliver", "late"), ("ack", "late"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["kind", "message"])
    return frame.assign(t_s=[1.0 + 0.01 * n for n in range(len(rows))])


def test_timeline_has_a_lane_per_message_and_one_for_the_dead_letter_queue(drawn):
    plots.timeline(poison_events())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["fine", "bad", "late", "dead-letter queue"]
    assert axes.get_xlabel() == "time since the first delivery [ms]"
    assert drawn[0].get_suptitle() == "what happened to each message"


def test_timeline_marks_every_event_in_its_lane(drawn):
    plots.timeline(poison_events())
    (axes,) = drawn[0].axes
    lanes = {dots.get_label(): dots.get_offsets()[:, 1].tolist() for dots in axes.collections}
    assert lanes == {
        "delivered": [0, 1, 1, 1, 2],
        "rejected, requeued": [1, 1, 1],
        "acked": [0, 2],
        "dead-lettered": [3],
    }
    first = min(dots.get_offsets()[:, 0].min() for dots in axes.collections)
    last = max(dots.get_offsets()[:, 0].max() for dots in axes.collections)
    assert (first, last) == pytest.approx((0, 100))


def test_timeline_numbers_only_repeated_deliveries(drawn):
    plots.timeline(poison_events())
    assert texts(drawn[0].axes[0]) == ["1", "2", "3"]


def test_timeline_leads_from_the_last_reject_to_the_dead_letter_queue(drawn):
    plots.timeline(poison_events())
    colour = style.ROLES["dead-lettered"].colour
    (way,) = [line for line in drawn[0].axes[0].lines if line.get_color() == colour]
    assert way.get_xdata() == pytest.approx([70, 80])
    assert list(way.get_ydata()) == [1, 3]


def test_timeline_reads_a_history(drawn):
    events = History()
    for kind in ("publish", "deliver", "ack"):
        events.record(kind, "7")
    plots.timeline(events.frame())
    assert labels(drawn[0].axes[0].yaxis) == ["7", "dead-letter queue"]


def spinning(setup, poison, healthy):
    rows = [(setup, "poison", 5 + n / 1000) for n in range(poison)]
    rows += [(setup, "healthy", 5 + n / 500) for n in range(healthy)]
    return pd.DataFrame(rows, columns=["setup", "series", "t_s"])


def test_hot_loop_has_a_panel_per_setup_with_its_rate_and_messages_done(drawn):
    plots.hot_loop(pd.concat([spinning("prefetch 1", 101, 0), spinning("prefetch 10", 201, 20)]))
    titles = [axes.get_title(loc="left") for axes in drawn[0].axes]
    assert titles == [
        "prefetch 1\n1,000 redeliveries/s, 0 done",
        "prefetch 10\n1,000 redeliveries/s, 20 done",
    ]
    assert drawn[0].axes[0].get_ylabel() == "messages"
    low, high = drawn[0].axes[0].get_ylim()
    assert low == 0
    assert high > 1.2 * 201
    assert drawn[0].axes[1].get_ylim() == (low, high)


def test_hot_loop_counts_up_from_zero_also_when_nothing_was_done(drawn):
    plots.hot_loop(pd.concat([spinning("none", 11, 0), spinning("some", 11, 4)]))
    ends = [[line.get_ydata()[[0, -1]].tolist() for line in axes.lines] for axes in drawn[0].axes]
    assert ends == [[[0, 11], [0, 0]], [[0, 11], [0, 4]]]


def test_hot_loop_draws_a_single_setup(drawn):
    plots.hot_loop(spinning("alone", 3, 1))
    assert len(drawn[0].axes) == 1


def test_hot_loop_of_one_delivery_has_no_rate(drawn):
    plots.hot_loop(spinning("once", 1, 0))
    assert "0 redeliveries/s" in drawn[0].axes[0].get_title(loc="left")


def fates():
    rows = [
        ("one", "a", 1, "acked"),
        ("one", "b", 4, "dead-lettered"),
        ("two", "a", 2, "duplicated"),
        ("two", "b", 0, "lost"),
    ]
    return pd.DataFrame(rows, columns=["setup", "message", "count", "fate"])


def test_outcomes_has_a_cell_per_message_and_setup_with_its_count(drawn):
    plots.outcomes(fates(), title="tries of each document")
    (axes,) = drawn[0].axes
    assert drawn[0].get_suptitle() == "tries of each document"
    assert labels(axes.yaxis) == ["one", "two"]
    assert labels(axes.xaxis) == ["a", "b"]
    words = {text.get_position(): text.get_text() for text in axes.texts}
    assert words == {(0, 0): "1", (1, 0): "4", (0, 1): "2", (1, 1): "0"}


def test_outcomes_doubles_colour_by_hatch_and_names_each_fate_once(drawn):
    plots.outcomes(pd.concat([fates(), fates().assign(setup="three")]), title="t")
    (axes,) = drawn[0].axes
    looks = {(to_hex(patch.get_edgecolor()).upper(), patch.get_hatch()) for patch in axes.patches}
    names = ("acked", "dead-lettered", "duplicated", "lost")
    assert looks == {(style.ROLES[name].colour, style.ROLES[name].hatch) for name in names}
    assert sorted(legend(axes)) == sorted(names)
    assert len(axes.patches) == 8


def test_outcomes_may_name_a_fate_by_what_it_means_here(drawn):
    plots.outcomes(fates(), title="t", names={"duplicated": "charged twice"})
    (axes,) = drawn[0].axes
    assert legend(axes) == ["acked", "dead-lettered", "charged twice", "lost"]


def test_steps_of_the_timeline_differ_in_colour_and_marker():
    looks = [(colour, marker) for _, colour, marker in dead_letter.STEPS.values()]
    assert len({to_rgb(colour) for colour, _ in looks}) == len({m for _, m in looks}) == 4


@pytest.mark.parametrize(
    ("draw", "frame", "message"),
    [
        (plots.timeline, pd.DataFrame({"t_s": [], "kind": [], "message": []}), "frame is empty"),
        (plots.timeline, poison_events().query("kind == 'publish'"), "no message was delivered"),
        (plots.timeline, poison_events().drop(columns="t_s"), "lacks the columns t_s"),
        (plots.hot_loop, spinning("x", 2, 0).assign(series="bad"), "'poison' or 'healthy'"),
        (plots.hot_loop, pd.DataFrame({"t_s": [1]}), "lacks the columns series, setup"),
        (lambda f: plots.outcomes(f, title=""), fates().assign(fate="eaten"), "one of acked"),
        (lambda f: plots.outcomes(f, title=""), fates().iloc[:0], "frame is empty"),
    ],
)
def test_an_invalid_frame_is_refused(drawn, draw, frame, message):
    with pytest.raises(UsageError, match=message):
        draw(frame)
    assert drawn == []


def test_no_figure_stays_open(drawn):
    before = plt.get_fignums()
    plots.outcomes(fates(), title="t")
    plots.timeline(poison_events())
    assert plt.get_fignums() == before
