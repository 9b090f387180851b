"""Tests of the grids of cells."""

import matplotlib as mpl

mpl.use("agg")

from helpers.plots import grid, style
from tests.support.figure_words import labels, legend, texts

LOOK = style.ROLES["lost"].area()


def test_a_cell_lies_around_its_place_with_bold_words(drawn):
    with style.figure(title="t") as axes:
        grid.draw_cell(axes, (2, 1), "gone", LOOK, size=(0.9, 0.8))
    (cell,), (words,) = axes.patches, axes.texts
    assert cell.get_center().tolist() == [2, 1]
    assert (round(cell.get_width(), 6), round(cell.get_height(), 6)) == (0.9, 0.8)
    assert cell.get_hatch() == style.ROLES["lost"].hatch
    assert (words.get_text(), words.get_position(), words.get_weight()) == ("gone", (2, 1), "bold")


def test_the_font_of_a_cell_can_differ_and_no_words_leave_no_text(drawn):
    with style.figure(title="t") as axes:
        grid.draw_cell(axes, (0, 0), "gone", LOOK, weight="normal", fontsize=7)
        grid.draw_cell(axes, (1, 0), "", LOOK)
    assert len(axes.patches) == 2
    assert [(text.get_weight(), text.get_fontsize()) for text in axes.texts] == [("normal", 7)]


def test_a_grid_names_columns_and_rows_and_explains_every_fate(drawn):
    with style.figure(title="t") as axes:
        grid.set_up(axes, ["a", "b"], [1, 2, 3])
        grid.explain(axes, {"lost": LOOK, "fine": style.ROLES["acked"].area()})
    assert (labels(axes.xaxis), labels(axes.yaxis)) == (["a", "b"], ["1", "2", "3"])
    assert axes.get_ylim() == (2.6, -0.6)  # the first row on top
    assert legend(axes) == ["lost", "fine"]
    assert texts(axes) == []
