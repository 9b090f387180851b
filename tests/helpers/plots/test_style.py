import matplotlib as mpl
import pytest

mpl.use("agg")

from helpers.plots import style


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


def test_no_two_roles_look_alike_even_without_colour():
    looks = [(role.marker, role.line, role.hatch) for role in style.ROLES.values()]
    assert len(set(looks)) == len(looks)
    assert "#F0E442" not in {role.colour for role in style.ROLES.values()}  # the palette's yellow
