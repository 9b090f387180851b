"""Tests of the common style: colours, roles, size, title and legend."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("agg")

from helpers.plots import style
from tests.support.figure_words import legend

HEX = re.compile(r"#[0-9a-fA-F]{3,8}\b")


def test_a_figure_has_the_common_size_and_title_and_is_closed(drawn):
    import matplotlib.pyplot as plt

    with style.figure(title="copies received by each service") as axes:
        axes.plot([0, 1], [0, 1])
        style.label_line(axes, 1, 1, "index", style.ROLES["acked"].colour)
    assert tuple(drawn[0].get_size_inches()) == style.SIZE_IN
    assert drawn[0].get_suptitle() == "copies received by each service"
    assert [text.get_text() for text in axes.texts] == ["index"]
    assert plt.get_fignums() == []


def test_columns_share_the_y_axis(drawn):
    with style.figure(title="t", columns=3) as axes:
        axes[0].set_ylim(0, 7)
    assert len(axes) == 3
    assert axes[2].get_ylim() == (0, 7)


def test_a_figure_that_fails_is_closed_and_not_shown(drawn):
    import matplotlib.pyplot as plt

    with pytest.raises(ZeroDivisionError), style.figure(title="t"):
        _ = 1 / 0
    assert drawn == []
    assert plt.get_fignums() == []


def test_roles_differ_without_colour():
    looks = [(role.marker, role.line, role.hatch) for role in style.ROLES.values()]
    assert len(set(looks)) == len(looks)
    assert "#F0E442" not in {role.colour for role in style.ROLES.values()}  # the palette's yellow


def test_every_colour_of_figures_and_report_is_in_the_style_module():
    root = Path(__file__).parents[3]
    files = [*(root / "helpers" / "plots").glob("*.py"), *(root / "labs" / "judge").rglob("*.j2")]
    typed = {file.name: HEX.findall(file.read_text(encoding="utf-8")) for file in files}
    assert len(typed.pop("style.py")) > len(style.ROLES)
    assert "report.html.j2" in typed
    assert {name: colours for name, colours in typed.items() if colours} == {}


def test_an_area_has_a_light_fill_with_edge_and_hatch_of_its_role():
    role = style.ROLES["lost"]
    look = {"facecolor": f"{role.colour}55", "edgecolor": role.colour, "hatch": role.hatch}
    assert role.area() == look
    assert role.area("22")["facecolor"] == f"{role.colour}22"


@pytest.mark.parametrize(("x", "side"), [(-0.01, "x0"), (1.01, "x1")])
def test_a_legend_above_begins_or_ends_at_its_place_over_the_axes(drawn, x, side):
    with style.figure(title="t") as axes:
        axes.plot([0, 1], [0, 1], label="one")
        style.legend_above(axes, x=x, borderaxespad=0)
        axes.figure.canvas.draw()
        box = axes.get_legend().get_window_extent().transformed(axes.transAxes.inverted())
        assert getattr(box, side) == pytest.approx(x, abs=0.001)
        assert box.y0 == pytest.approx(1, abs=0.001)
    assert legend(axes) == ["one"]


def test_a_column_beside_the_axes_has_a_cell_in_each_row(drawn):
    with style.figure(title="t") as axes:
        axes.set_ylim(1.5, -0.5)
        style.write_column(axes, 1.2, "speed", ["1.0", "2.1"], color=style.MUTED)
    header, first, second = axes.texts
    assert [text.get_text() for text in axes.texts] == ["speed", "1.0", "2.1"]
    assert header.get_position() == (1.2, 1.02)
    assert [first.get_position(), second.get_position()] == [(1.2, 0), (1.2, 1)]
    assert first.get_color() == style.MUTED != header.get_color()
