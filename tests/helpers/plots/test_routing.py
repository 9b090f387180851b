"""Tests of the tables about routing: numbers, tints, marks."""

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError
from helpers.plots import style
from tests.support.figure_words import labels, texts


def test_copies_shows_every_number_with_a_darker_tint_for_more(drawn):
    frame = pd.DataFrame({"1 queue": [1, 1], "3 queues": [1, 3]}, index=["default", "fanout"])
    plots.copies(frame)
    (axes,) = drawn[0].axes
    assert texts(axes) == ["1", "1", "1", "3"]
    assert labels(axes.xaxis) == ["1 queue", "3 queues"]
    assert labels(axes.yaxis) == ["default", "fanout"]
    image = axes.images[0]
    assert image.get_array().tolist() == [[1, 1], [1, 3]]
    brightness = [sum(image.cmap(image.norm(value))[:3]) for value in (0, 1, 3)]
    assert brightness == sorted(brightness, reverse=True)
    assert len(set(brightness)) == 3
    assert drawn[0].get_suptitle() == "copies delivered of one event"
    assert axes.texts[3].get_color() == style.PAPER  # light on dark


def test_topic_matches_marks_arrivals_and_crosses_disagreements(drawn):
    measured = pd.DataFrame({"#": [True, True], "": [False, True]}, index=["document", ""])
    rule = measured.copy()
    plots.topic_matches(measured, rule)
    rule.loc["document", ""] = True
    plots.topic_matches(measured, rule)
    agreed, disputed = (
        [(line.get_marker(), *line.get_xydata()[0]) for line in figure.axes[0].lines]
        for figure in drawn
    )
    assert agreed == [("o", 0, 0), ("o", 0, 1), ("o", 1, 1)]
    cross = style.ROLES["lost"].marker
    assert sorted(set(disputed) - set(agreed)) == [(cross, 1, 0)]
    axes = drawn[0].axes[0]
    assert labels(axes.xaxis) == ["#", "(empty)"]
    assert labels(axes.yaxis) == ["document", "(empty)"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "binding key of a queue",
        "routing key of an event",
    )


def test_topic_matches_draws_frames_around_the_named_cells(drawn):
    table = pd.DataFrame({"#": [True, True], "*": [True, False]}, index=["document", ""])
    plots.topic_matches(table, table, framed=[("", "*"), ("document", "#")])
    frames = [(frame.get_xy(), frame.get_fill()) for frame in drawn[0].axes[0].patches]
    assert frames == [((0.5, 0.5), False), ((-0.5, -0.5), False)]
    with pytest.raises(UsageError, match=r"no cells \[\('created', '#'\)\]"):
        plots.topic_matches(table, table, framed=[("created", "#")])


def test_invalid_tables_are_refused(drawn):
    empty = pd.DataFrame()
    table = pd.DataFrame({"#": [True]}, index=["document"])
    with pytest.raises(UsageError, match="table is empty"):
        plots.copies(empty)
    with pytest.raises(UsageError, match="table is empty"):
        plots.topic_matches(empty, empty)
    with pytest.raises(UsageError, match="same routing keys and binding keys"):
        plots.topic_matches(table, table.rename(columns={"#": "*"}))
    assert drawn == []
