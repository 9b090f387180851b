"""Draw the figures about order: inversions by set-up, a failover, a reordering buffer."""

from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# consumers, the first active one first: role and marker
CONSUMERS = (("unacked", "^"), ("acked", "o"))
# panels: column of the frame and title
PANELS = (("overall", "overall"), ("per_key", "within a document"))


def inversions(frame: "pd.DataFrame") -> None:
    """Draw the number of pairs of events worked on in the wrong order, a row for each set-up.

    Args:
        frame: DataFrame[setup str; overall, per_key int], the counts among all events and among
            events with the same key.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"setup", "overall", "per_key"})
    rows, lost = range(len(frame)), style.ROLES["lost"]
    title = "inversions: pairs of events worked on in the wrong order"
    with style.figure(title=title, columns=2, height_in=1.1 + 0.31 * len(frame)) as panels:
        for axes, (column, name) in zip(panels, PANELS, strict=True):
            bars = axes.barh(rows, frame[column], height=0.66, linewidth=0.8, **lost.area("77"))
            for bar, count in zip(bars, frame[column], strict=True):
                _write_count(axes, bar.get_y() + bar.get_height() / 2, int(count))
            axes.set_title(name, loc="left")
            axes.set(xlim=(0, max(1, frame[column].max()) * 1.25), xlabel="pairs")
            axes.grid(axis="y", visible=False)
        panels[0].set_yticks(rows, [str(setup) for setup in frame["setup"]])
        panels[0].set_ylim(len(frame) - 0.4, -0.6)


def _write_count(axes: "Axes", y: float, count: int) -> None:
    colour = style.ROLES["lost" if count else "acked"].colour
    axes.annotate(
        str(count) if count else "0  in order", (count, y), xytext=(4, 0), va="center",
        textcoords="offset points", color=colour, weight="bold", fontsize=8,
    )  # fmt: skip


def failover(events: "pd.DataFrame") -> None:
    """Draw each event by its time and consumer, a panel for each way the first consumer ends.

    A dotted line marks the first event of the last consumer; events that were worked on twice are
    circled.

    Args:
        events: DataFrame[setup str; t_s float, seconds; number int; consumer str], a row for
            each time an event was worked on; at most two consumers.

    Raises:
        UsageError: a column is missing, there is nothing to draw, or more than two consumers.
    """
    frames.check(events, {"setup", "t_s", "number", "consumer"})
    consumers = list(dict.fromkeys(events["consumer"]))
    if len(consumers) > len(CONSUMERS):
        raise UsageError(f"at most {len(CONSUMERS)} consumers can be drawn, not {len(consumers)}")
    setups = list(dict.fromkeys(events["setup"]))
    title = "who worked on which event, while the active consumer ends"
    with style.figure(title=title, columns=len(setups), height_in=3.2) as panels:
        for axes, setup in zip(panels, setups, strict=True):
            _draw_failover(axes, events[events["setup"] == setup], consumers)
            axes.set_title(setup, loc="left")
            axes.set_xlabel("time [ms]")
        panels[0].set_ylabel("event number")
        panels[0].legend(loc="lower right", borderpad=0.2)


def _draw_failover(axes: "Axes", rows: "pd.DataFrame", consumers: list[str]) -> None:
    rows = rows.assign(ms=(rows["t_s"] - rows["t_s"].min()) * 1000)
    for consumer, (role, marker) in zip(consumers, CONSUMERS, strict=False):
        handled = rows[rows["consumer"] == consumer]
        axes.plot(
            handled["ms"], handled["number"], color=style.ROLES[role].colour, marker=marker,
            markersize=3.6, linestyle="", label=consumer, zorder=3,
        )  # fmt: skip
    twice = rows[rows["number"].duplicated(keep=False)]
    axes.plot(
        twice["ms"], twice["number"], marker="o", markersize=10, linestyle="", fillstyle="none",
        color=style.ROLES["duplicated"].colour, label="worked on twice" if len(twice) else None,
    )  # fmt: skip
    last = rows[rows["consumer"] == consumers[-1]]
    if len(last):
        axes.axvline(last["ms"].min(), color=style.MUTED, linestyle=":", linewidth=1, zorder=1)
    axes.set_xlim(left=-0.04 * rows["ms"].max() - 1)


def resequencing(frame: "pd.DataFrame") -> None:
    """Draw the arrival of each event at a reordering buffer and its release.

    Args:
        frame: DataFrame[number int; arrived_s, released_s float, seconds], a row per event.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"number", "arrived_s", "released_s"})
    start = frame["arrived_s"].min()
    arrived, released = ((frame[c] - start) * 1000 for c in ("arrived_s", "released_s"))
    with style.figure(title="each event's time in the reordering buffer", height_in=3.8) as axes:
        waited, green = style.ROLES["duplicated"], style.ROLES["acked"]
        axes.hlines(
            frame["number"], arrived, released, color=waited.colour, linewidth=2.2, zorder=2,
            label="waits in the buffer",
        )  # fmt: skip
        axes.plot(
            arrived, frame["number"], color=style.INK, marker="|", markersize=6, linestyle="",
            label="arrives", zorder=3,
        )  # fmt: skip
        axes.plot(
            released, frame["number"], color=green.colour, marker=green.marker, markersize=3.6,
            linestyle="", label="is released", zorder=4,
        )  # fmt: skip
        axes.set(xlabel="time since the first arrival [ms]", ylabel="event number")
        axes.set_ylim(-1, frame["number"].max() + 1)
        axes.legend(loc="lower right", borderpad=0.2)
