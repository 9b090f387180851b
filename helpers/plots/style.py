"""Define the common style of all figures: colours with fixed roles, size, title and legend.

Every colour of the project is in this module. The roles have colours of the palette of Okabe and
Ito (https://jfly.uni-koeln.de/color/), which readers with colour-vision deficiency can tell apart;
each colour is doubled by a marker, a line style or a hatch.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

SIZE_IN = (6.0, 3.5)
PAPER = "#ffffff"
INK = "#262626"  # text
MUTED = "#6f6f6f"  # lines and secondary text
GRID = "#e3e3e3"

# Shades for areas, and for text on paper, where a role's own colour is too light or too strong.
PALE_GREY, LIGHT_GREY = "#f3f3f3", "#ececec"
PALE_GREEN, DARK_GREEN = "#bfe7da", "#00533c"  # of acked
PALE_BLUE = "#cfe3f1"  # of unacked
PALE_SKY_BLUE = "#d9eefa"  # of ready
DARK_VERMILLION = "#b34700"  # of lost

# Spacing of a legend with many entries in a row, for `legend_above`.
TIGHT: dict[str, Any] = {"columnspacing": 1.2, "handletextpad": 0.4, "borderpad": 0.2}


@dataclass(frozen=True)
class Role:
    """The look that one kind of thing has in every figure."""

    colour: str
    marker: str
    line: str
    hatch: str

    def area(self, opacity: str = "55") -> dict[str, Any]:
        """Return the look of an area: a light fill, with edge and hatch in the full colour.

        Args:
            opacity: of the fill, two hexadecimal digits; "ff" is opaque.

        Returns:
            Keyword arguments of matplotlib's patches and bars.
        """
        fill = f"{self.colour}{opacity}"
        return {"facecolor": fill, "edgecolor": self.colour, "hatch": self.hatch}


ROLES = {
    "acked": Role("#009E73", "o", "-", ""),
    "lost": Role("#D55E00", "X", ":", "xx"),
    "duplicated": Role("#E69F00", "D", "-.", "//"),
    "ready": Role("#56B4E9", "s", "--", ".."),
    "unacked": Role("#0072B2", "^", "-", "\\\\"),
    "dead-lettered": Role("#CC79A7", "P", (0, (3, 1, 1, 1)), "++"),  # type: ignore[arg-type]
    "model": Role(MUTED, "", "--", ""),
}


@contextmanager
def figure(
    *, title: str, columns: int | None = None, height_in: float = SIZE_IN[1], share_y: bool = True
) -> Iterator[Any]:
    """Open a figure in the common style, and show it at the end.

    Args:
        title: the measurement, never its result.
        columns: number of axes side by side; None for a single one.
        height_in: height in inches, for figures with many rows.
        share_y: whether the columns share the y axis.

    Returns:
        A context manager that yields the axes, or a list of them where ``columns`` is given; its
        end shows the figure as a PNG.
    """
    import matplotlib.pyplot as plt

    with plt.rc_context(
        {
            "figure.dpi": 110,
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": GRID,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.axisbelow": True,
            "legend.frameon": False,
            "hatch.linewidth": 0.6,
        }
    ):
        drawn, axes = plt.subplots(
            1, columns or 1, figsize=(SIZE_IN[0], height_in), layout="constrained", sharey=share_y,
            squeeze=False,
        )  # fmt: skip
        drawn.suptitle(title, fontsize=10, x=0.01, ha="left", fontweight="bold")
        try:
            yield axes[0, 0] if columns is None else list(axes[0])
            plt.show()
        finally:
            plt.close(drawn)


def label_line(axes: "Axes", x: float, y: float, text: str, colour: str) -> None:
    """Write a label at the end of a line, in the line's colour, instead of a legend.

    Args:
        axes: the axes that have the line.
        x: data coordinate of the line's last point.
        y: data coordinate of the line's last point.
        text: the label.
        colour: the line's colour.
    """
    axes.annotate(
        text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=colour
    )


def write_column(axes: "Axes", x: float, header: str, cells: Sequence[str], **look: Any) -> None:
    """Write a column of a table beside the axes, a cell for each of its rows 0, 1, 2 …

    Args:
        axes: the axes with the rows.
        x: right end of the column as a share of the axes' width, above 1.
        header: of the column, above its first row.
        cells: texts from row 0 on.
        look: further arguments of matplotlib's text, such as ``color``, for the cells.
    """
    place: dict[str, Any] = {"ha": "right", "fontsize": 8}
    axes.text(x, 1.02, header, va="bottom", transform=axes.transAxes, **place)
    for row, text in enumerate(cells):
        axes.text(x, row, text, va="center", transform=axes.get_yaxis_transform(), **(place | look))


def legend_above(
    axes: "Axes",
    handles: "Sequence[Artist] | None" = None,
    *,
    x: float = -0.01,
    columns: int = 1,
    **look: Any,
) -> None:
    """Put the legend above the axes.

    Args:
        axes: the axes to explain.
        handles: entries of the legend; None takes everything drawn that has a label.
        x: left end of the legend as a share of the axes' width; from 0.5 on, its right end.
        columns: entries side by side.
        look: further arguments of matplotlib's legend, such as ``**TIGHT``.
    """
    handles = handles or axes.get_legend_handles_labels()[0]
    axes.legend(
        handles=handles, loc="lower left" if x < 0.5 else "lower right", bbox_to_anchor=(x, 1.0),
        ncols=columns, **look,
    )  # fmt: skip
