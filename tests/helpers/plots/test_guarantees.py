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
        "design": ["automatic ack", "automatic ack", "ack after work"],
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
RATES = pd.DataFrame(
    {
        "guarantee": ["at most once", "at least once"] * 2,
        "round_trip_ms": [0, 0, 40, 40],
        "publish": [9000.0, 900.0, 5000.0, 20.0],
        "consume": [300.0, 310.0, 200.0, 150.0],
    }
)


def test_losses_names_each_fate_and_hatches_it(drawn):
    plots.losses(TRIALS)
    axes = drawn[0].axes[0]
    assert texts(axes) == ["15 lost", "each once", "1 twice"]
    assert labels(axes.yaxis) == ["automatic ack", "ack after work"]
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


def test_service_names_the_gap_and_the_messages_confirmed_and_lost(drawn):
    plots.service(SERVED, fault="down", until_s=7, lost={"two": 5, "one": 0})
    axes = drawn[0].axes[0]
    assert texts(axes) == ["down", "none for 8 s", "5 confirmed and lost"]
    assert labels(axes.yaxis) == ["one", "two"]
    lost = [bar for bar in axes.patches if bar.get_hatch() == style.ROLES["lost"].hatch]
    assert [(bar.get_x(), bar.get_width()) for bar in lost] == [(0, 7)]


def test_guarantee_rates_has_a_panel_per_distance_on_the_same_log_scale(drawn):
    plots.guarantee_rates(RATES)
    near, far = drawn[0].axes
    assert [near.get_title(), far.get_title()] == ["loopback", "40 ms there and back"]
    assert near.get_xlim() == far.get_xlim()
    assert near.get_xscale() == far.get_xscale() == "log"
    assert labels(near.yaxis) == ["at most once", "at least once"]
    publish, consume = far.lines
    assert list(publish.get_xdata()) == [5000, 20]
    assert list(consume.get_xdata()) == [200, 150]
    assert publish.get_marker() != consume.get_marker()
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["publish", "consume"]


def test_guarantee_rates_draws_a_single_distance(drawn):
    plots.guarantee_rates(RATES.head(2))
    assert len(drawn[0].axes) == 1


@pytest.mark.parametrize(
    ("draw", "frame"),
    [
        (guarantees.losses, TRIALS),
        (lambda frame: guarantees.survivors(frame, published=100), STORES),
        (lambda frame: guarantees.service(frame, fault="", until_s=1, lost={}), SERVED),
        (guarantees.guarantee_rates, RATES),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(draw, frame):
    with pytest.raises(UsageError, match="empty"):
        draw(frame.head(0))
    with pytest.raises(UsageError, match="lacks the columns"):
        draw(frame.iloc[:, :1])
