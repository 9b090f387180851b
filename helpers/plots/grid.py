"""A grid of cells: what became of each thing under each condition, as colour, hatch and words."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def set_up(axes: "Axes", columns: Sequence[object], rows: Sequence[object]) -> None:
    """Name the columns and rows of a grid, the first row on top, without lines around it.

    Args:
        axes: where the cells are drawn; the cell in column 2 of row 0 is around (2, 0).
        columns: names of the columns.
        rows: names of the rows.
    """
    axes.set_xticks(range(len(columns)), [str(name) for name in columns])
    axes.set_yticks(range(len(rows)), [str(name) for name in rows])
    axes.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(rows) - 0.4, -0.6))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_cell(axes: "Axes", place: tuple[int, int], words: str, role: style.Role) -> None:
    """Draw a cell with words in it.

    Args:
        axes: as for ``set_up``.
        place: column and row, from 0.
        words: what stands in the cell.
        role: its colour and hatch.
    """
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (place[0] - 0.46, place[1] - 0.42), 0.92, 0.84, facecolor=f"{role.colour}55",
            edgecolor=role.colour, hatch=role.hatch, linewidth=1,
        )
    )  # fmt: skip
    axes.text(
        *place, words, ha="center", va="center", weight="bold", color=style.INK,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": style.PAPER, "edgecolor": "none"},
    )  # fmt: skip


def explain(axes: "Axes", fates: Mapping[str, style.Role]) -> None:
    """Put a legend of three columns above the grid that has every fate, also one nothing met.

    Args:
        axes: as for ``set_up``.
        fates: name of each fate, and its colour and hatch.
    """
    from matplotlib.patches import Patch

    shown = [
        Patch(facecolor=f"{role.colour}55", edgecolor=role.colour, hatch=role.hatch, label=name)
        for name, role in fates.items()
    ]
    axes.legend(
        handles=shown, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, columnspacing=1.2,
        handletextpad=0.4, borderpad=0.2,
    )  # fmt: skip
