"""Draw tables about routing as heat maps: copies per set-up, and matches of patterns."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.31  # height of a row


def copies(frame: "pd.DataFrame", *, title: str = "copies delivered of one event") -> None:
    """Draw the number of copies of one event that each set-up delivers, as a heat map.

    Args:
        frame: a row per exchange, a column per set-up of queues and consumers, int copies; line
            breaks in the columns' names are kept.
        title: the measurement.

    Raises:
        UsageError: the frame is empty.
    """
    from matplotlib.colors import LinearSegmentedColormap

    _check_table(frame)
    most = max(1, int(frame.to_numpy().max()))
    blue = style.ROLES["unacked"].colour
    tints = LinearSegmentedColormap.from_list("copies", [style.PAPER, blue])
    with style.figure(title=title, height_in=1.4 + len(frame) * ROW_IN) as axes:
        axes.imshow(frame.to_numpy(), cmap=tints, vmin=0, vmax=most, aspect="auto")
        for row, column, count in _cells(frame):
            ink = style.PAPER if count > most * 0.6 else style.INK
            axes.text(column, row, int(count), ha="center", va="center", color=ink, weight="bold")
        _table_axes(axes, map(str, frame.index), map(str, frame))


def topic_matches(
    measured: "pd.DataFrame", rule: "pd.DataFrame", *, framed: Iterable[tuple[str, str]] = ()
) -> None:
    """Draw the routing keys that each binding key of a topic exchange matched.

    Args:
        measured: a row per routing key, a column per binding key, bool: True for an arrival.
        rule: the same table as predicted by a rule; a cross marks each cell that differs.
        framed: routing key and binding key of each cell to draw a frame around.

    Raises:
        UsageError: a table is empty, the two have different rows or columns, or a framed cell is
            not in them.

    Source: https://www.rabbitmq.com/docs/exchanges#topic
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Rectangle

    _check_table(measured)
    if not (measured.index.equals(rule.index) and measured.columns.equals(rule.columns)):
        raise UsageError("measured and rule need the same routing keys and binding keys")
    frames, rows, columns = list(framed), list(measured.index), list(measured)
    unknown = [(key, to) for key, to in frames if key not in rows or to not in columns]
    if unknown:
        raise UsageError(f"the table has no cells {unknown} to draw a frame around")
    shades = ListedColormap([style.PAPER, style.ROLES["ready"].colour])
    wrong = style.ROLES["lost"]
    title = "topic exchange: which events reach which queues"
    with style.figure(title=title, height_in=1.9 + len(measured) * 0.21) as axes:
        axes.imshow(measured.to_numpy(dtype=float), cmap=shades, vmin=0, vmax=1, aspect="auto")
        for row, column, arrived in _cells(measured):
            if arrived:
                axes.plot(column, row, marker="o", color=style.INK, markersize=4)
            if bool(arrived) != bool(rule.iat[row, column]):
                axes.plot(column, row, marker=wrong.marker, color=wrong.colour, markersize=10)
        for key, pattern in frames:
            corner = columns.index(pattern) - 0.5, rows.index(key) - 0.5
            frame = Rectangle(corner, 1, 1, fill=False, edgecolor=style.INK, linewidth=2, zorder=3)
            frame.set_clip_on(False)
            axes.add_patch(frame)
        _table_axes(axes, map(_shown, measured.index), map(_shown, measured))
        axes.tick_params(labelfontfamily="monospace", labelsize=8)
        axes.tick_params(axis="x", labelrotation=60)
        for label in axes.get_xticklabels():
            label.set(ha="left", rotation_mode="anchor")
        axes.set_xlabel("binding key of a queue")
        axes.set_ylabel("routing key of an event")


def _check_table(frame: "pd.DataFrame") -> None:
    if frame.empty:
        raise UsageError("there is nothing to draw: the table is empty")


def _cells(frame: "pd.DataFrame") -> Iterator[tuple[int, int, Any]]:
    rows, columns = frame.shape
    for row in range(rows):
        for column in range(columns):
            yield row, column, frame.iat[row, column]


def _shown(key: object) -> str:
    return str(key) or "(empty)"


def _table_axes(axes: "Axes", rows: Iterable[str], columns: Iterable[str]) -> None:
    """Put the columns' names on top and thin lines between the cells."""
    rows, columns = list(rows), list(columns)
    axes.grid(visible=False)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks([x - 0.5 for x in range(1, len(columns))], minor=True)
    axes.set_yticks([y - 0.5 for y in range(1, len(rows))], minor=True)
    axes.grid(visible=True, which="minor", color=style.GRID, linewidth=1)
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
