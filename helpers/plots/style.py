"""What all figures have in common: colours with fixed roles, size, and lower-case axis labels.

Colours are from the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers
with colour-vision deficiency can tell apart; every colour is doubled by a marker, a line style or
a hatch.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN = (6.0, 3.5)
PAPER = "white"
INK = "#262626"
MUTED = "#6f6f6f"
GRID = "#e3e3e3"


@dataclass(frozen=True)
class Role:
    """How one kind of thing looks in every figure."""

    colour: str
    marker: str
    line: str
    hatch: str


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
    *, title: str, columns: int = 1, height_in: float = SIZE_IN[1], share_y: bool = True
) -> Iterator[Any]:
    """Open a figure in the common style, hand out its axes, and show it.

    Args:
        title: what was measured, never the result.
        columns: axes side by side.
        height_in: height in inches, for figures with many rows.
        share_y: whether several columns share the y axis.

    Returns:
        A context manager that yields the axes, or an array of them for several columns; leaving
        it shows the figure as a PNG.
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
            1, columns, figsize=(SIZE_IN[0], height_in), layout="constrained", sharey=share_y
        )
        drawn.suptitle(title, fontsize=10, x=0.01, ha="left", fontweight="bold")
        try:
            yield axes
            plt.show()
        finally:
            plt.close(drawn)


def label_line(axes: "Axes", x: float, y: float, text: str, colour: str) -> None:
    """Write a label at the end of a line, in the line's colour, instead of a legend.

    Args:
        axes: where to write.
        x: data coordinate of the line's last point.
        y: data coordinate of the line's last point.
        text: the label.
        colour: the line's colour.
    """
    axes.annotate(
        text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=colour
    )
