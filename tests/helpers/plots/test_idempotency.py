"""Tests of the figures about idempotent handlers: lanes, steps, cells, fates."""

import matplotlib as mpl
import pandas as pd
import pytest

from helpers.errors import UsageError
from helpers.plots import idempotency, style
from tests.support.figure_words import labels, legend

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.colors import to_hex, to_rgb


def steps():
    rows = [("b", "delivered"), ("a", "delivered"), ("a", "checked"), ("b", "checked"),
            ("a", "charged"), ("b", "charged"), ("a", "ack failed"), ("b", "acked")]  # fmt: skip
    return pd.DataFrame(rows, columns=["consumer", "step"])


def test_race_has_a_lane_per_consumer_and_a_number_per_step(drawn):
    idempotency.race(steps())
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["a", "b"]
    assert labels(axes.xaxis) == [str(number) for number in range(1, 9)]
    assert axes.get_xlabel() == "step"
    assert "in order" in drawn[0].get_suptitle()


def test_race_names_every_step_above_its_marker_in_its_lane(drawn):
    idempotency.race(steps())
    (axes,) = drawn[0].axes
    named = [(note.xy, note.get_text()) for note in axes.texts]
    lanes = {"a": 0, "b": 1}
    assert named == [
        ((number, lanes[row.consumer]), row.step)
        for number, row in enumerate(steps().itertuples(), 1)
    ]
    dots = [line for line in axes.lines if line.get_marker() not in ("None", "")]
    assert [(int(d.get_xdata()[0]), int(d.get_ydata()[0])) for d in dots] == [p for p, _ in named]


def test_steps_differ_in_colour_and_marker():
    looks = list(idempotency.STEPS.values())
    assert len({to_rgb(colour) for colour, _ in looks}) == len({m for _, m in looks}) == 5


def grid():
    return pd.DataFrame(
        {"twice at once": [200, 100], "crash, then again": [0, 100]}, index=["check", "key"]
    )


def test_techniques_has_a_cell_per_technique_and_fault_with_the_amount(drawn):
    idempotency.techniques(grid(), owed_cents=100)
    (axes,) = drawn[0].axes
    assert labels(axes.yaxis) == ["check", "key"]
    assert labels(axes.xaxis) == ["twice at once", "crash,\nthen again"]
    words = {text.get_position(): text.get_text() for text in axes.texts}
    assert words == {(0, 0): "200", (1, 0): "0", (0, 1): "100", (1, 1): "100"}
    assert "100 are owed" in drawn[0].get_suptitle()


def test_techniques_separates_too_much_from_too_little_by_colour_and_hatch(drawn):
    idempotency.techniques(grid(), owed_cents=100)
    (axes,) = drawn[0].axes
    looks = [(to_hex(p.get_edgecolor()).upper(), p.get_hatch()) for p in axes.patches]
    fates = ("duplicated", "lost", "acked", "acked")
    assert looks == [(style.ROLES[fate].colour, style.ROLES[fate].hatch) for fate in fates]
    assert len(set(looks)) == 3


def test_techniques_explains_every_fate_also_when_none_has_it(drawn):
    idempotency.techniques(grid().iloc[1:], owed_cents=100)
    assert legend(drawn[0].axes[0]) == ["right", "too much: duplicated", "too little: lost"]


@pytest.mark.parametrize(
    ("draw", "frame", "message"),
    [
        (idempotency.race, steps().iloc[:0], "frame is empty"),
        (idempotency.race, steps().drop(columns="step"), "lacks the columns step"),
        (idempotency.race, steps().assign(step="slept"), "step must be one of delivered"),
        (lambda f: idempotency.techniques(f, owed_cents=1), grid().iloc[:0], "frame is empty"),
    ],
)
def test_an_invalid_frame_is_refused(drawn, draw, frame, message):
    with pytest.raises(UsageError, match=message):
        draw(frame)
    assert drawn == []


def test_no_figure_stays_open(drawn):
    before = plt.get_fignums()
    idempotency.race(steps())
    idempotency.techniques(grid(), owed_cents=100)
    assert plt.get_fignums() == before
