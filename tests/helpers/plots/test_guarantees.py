"""Tests of the figures about delivery guarantees: cells, bars, lanes, rates."""

import matplotlib as mpl

mpl.use("Agg")

import pandas as pd
import pytest

from helpers import plots
from helpers.errors import UsageError
from helpers.plots import guarantees, style
from tests.support.figure_words import labels, legend, texts

TRIALS = pd.DataFrame(
    {
        "design": ["automatic ack", "automatic ack", "ack after work, no confirms"],
        "fault": ["killed, in the work", "confirm lost", "confirm lost"],
        "lost": [15, 0, 0],
        "duplicated": [0, 0, 1],
    }
)
STORES = pd.DataFrame({"store": ["classic, transient", "quorum"], "survived": [0, 100]})
SERVED = pd.DataFrame(
    [("one", -1.0, 0.0), ("one", 8.0, 9.0), ("two", -1.0, 9.0)],
    columns=["publisher", "from_s", "to_s"],
)
RATES = pd.DataFrame({"publisher": ["no confirms", "one by one"], "msgs_per_s": [4200.4, 24.6]})


def test_losses_names_each_fate_and_hatches_it(drawn):
    plots.losses(TRIALS)
    axes = drawn[0].axes[0]
    assert texts(axes) == ["15 lost", "each once", "1 twice"]
    assert labels(axes.yaxis) == ["automatic ack", "ack after work,\nno confirms"]
    assert labels(axes.xaxis) == ["killed,\nin the work", "confirm lost"]
    hatches = [patch.get_hatch() for patch in axes.patches]
    assert hatches == [style.ROLES["lost"].hatch, "", style.ROLES["duplicated"].hatch]
    assert legend(axes) == ["each once", "lost", "twice"]


def test_losses_shows_both_when_both_happened(drawn):
    plots.losses(TRIALS.head(1).assign(duplicated=2))
    assert texts(drawn[0].axes[0]) == ["15 lost\n2 twice"]


def test_survivors_draws_messages_left_and_messages_lost(drawn):
    plots.survivors(STORES, published=100)
    axes = drawn[0].axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0, 100, 100]
    assert axes.patches[2].get_hatch() == style.ROLES["lost"].hatch
    assert texts(axes) == ["0", "100"]
    assert legend(axes) == ["there", "lost"]
    assert axes.get_xlabel() == "messages, of 100"


def test_survivors_without_losses_has_no_bar_for_them(drawn):
    plots.survivors(STORES.tail(1), published=100)
    assert [bar.get_width() for bar in drawn[0].axes[0].patches] == [100]


def test_service_names_the_gaps_and_the_messages_confirmed_and_lost(drawn):
    short = pd.DataFrame([("two", 9.34, 9.5)], columns=SERVED.columns)
    plots.service(pd.concat([SERVED, short]), fault="down", until_s=7, lost={"two": 5, "one": 0})
    axes = drawn[0].axes[0]
    assert texts(axes) == ["down", "none for 8.0 s", "5 confirmed and lost", "none for 340 ms"]
    assert labels(axes.yaxis) == ["one", "two"]
    lost = [bar for bar in axes.patches if bar.get_hatch() == style.ROLES["lost"].hatch]
    assert [(bar.get_x(), bar.get_width()) for bar in lost] == [(0, 7)]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 8], [9, 9.34]]
    assert [list(line.get_ydata()) for line in axes.lines] == [[0, 0], [1, 1]]


def test_service_gives_no_length_to_a_gap_before_the_fault_and_one_to_each_lane(drawn):
    times = [(-1.0, -0.8), (-0.45, -0.1), (6.0, 6.2), (6.5, 9.0)]
    frame = pd.DataFrame([("one", *time) for time in times], columns=SERVED.columns)
    plots.service(frame, fault="down", until_s=7, lost={})
    axes = drawn[0].axes[0]
    assert texts(axes) == ["down", "none for 6.1 s"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[-0.8, -0.45], [-0.1, 6], [6.2, 6.5]]


@pytest.mark.parametrize(("until_s", "end"), [(7, 9), (12, 12)])
def test_service_begins_shortly_before_the_fault_and_ends_after_all_of_it(drawn, until_s, end):
    plots.service(SERVED, fault="down", until_s=until_s, lost={})
    low, high = drawn[0].axes[0].get_xlim()
    assert low == -guarantees.BEFORE_S
    assert end < high < end + 0.5


def test_publish_rates_has_a_bar_from_zero_and_a_number_for_each_publisher(drawn):
    plots.publish_rates(RATES, round_trip_ms=40)
    axes = drawn[0].axes[0]
    assert drawn[0].get_suptitle() == "messages published per second, 40 ms there and back"
    assert labels(axes.yaxis) == ["no confirms", "one by one"]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 4200.4), (0, 24.6)]
    assert texts(axes) == ["4,200", "25"]
    assert axes.get_xlim()[0] == 0
    assert axes.get_xscale() == "linear"


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (guarantees.losses, TRIALS),
        (lambda frame: guarantees.survivors(frame, published=100), STORES),
        (lambda frame: guarantees.service(frame, fault="", until_s=1, lost={}), SERVED),
        (lambda frame: guarantees.publish_rates(frame, round_trip_ms=40), RATES),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(draw, frame):
    with pytest.raises(UsageError, match="empty"):
        draw(frame.head(0))
    with pytest.raises(UsageError, match="lacks the columns"):
        draw(frame.iloc[:, :1])
