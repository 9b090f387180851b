"""Draw grids of cells: the fate of each thing under each condition as colour, hatch and words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helpers.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def set_up(axes: "Axes", columns: Sequence[object], rows: Sequence[object]) -> None:
    """Name the columns and rows of a grid, the first row on top, without lines around it.

    Args:
        axes: the axes of the grid; the cell in column 2 of row 0 is around (2, 0).
        columns: names of the columns.
        rows: names of the rows.
    """
    axes.set_xticks(range(len(columns)), [str(name) for name in columns])
    axes.set_yticks(range(len(rows)), [str(name) for name in rows])
    axes.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(rows) - 0.4, -0.6))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_cell(
    axes: "Axes",
    place: tuple[int, int],
    words: str,
    look: Mapping[str, Any],
    *,
    size: tuple[float, float] = (0.92, 0.84),
    box: str = "round,pad=0.15",
    **font: Any,
) -> None:
    """Draw a cell with words in it.

    Args:
        axes: as for ``set_up``.
        place: column and row, from 0.
        words: text of the cell; "" for none.
        look: look of the area, such as ``Role.area()``.
        size: width and height, as shares of the distance between two cells.
        box: shape of the paper behind the words, as a box style of matplotlib.
        font: further arguments of matplotlib's text; it is bold unless they change it.
    """
    from matplotlib.patches import Rectangle

    (column, row), (width, height) = place, size
    corner = (column - width / 2, row - height / 2)
    axes.add_patch(Rectangle(corner, width, height, linewidth=1, **look))
    if words:
        axes.text(
            *place, words, ha="center", va="center", color=style.INK,
            bbox={"boxstyle": box, "facecolor": style.PAPER, "edgecolor": "none"},
            **({"weight": "bold"} | font),
        )  # fmt: skip


def explain(
    axes: "Axes", looks: Mapping[str, Mapping[str, Any]], *, x: float = -0.01, columns: int = 3
) -> None:
    """Put a legend above the grid that explains every fate, also one that no cell has.

    Args:
        axes: as for ``set_up``.
        looks: name of each fate, and the look of its cells.
        x: as for ``style.legend_above``.
        columns: entries side by side.
    """
    from matplotlib.patches import Patch

    handles = [Patch(label=name, **look) for name, look in looks.items()]
    style.legend_above(axes, handles, x=x, columns=columns, **style.TIGHT)
