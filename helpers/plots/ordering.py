"""Draw the figures about order: inversions by set-up, a failover, a reordering buffer."""

import math
from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# consumers, the first active one first: role and marker
CONSUMERS = (("unacked", "^"), ("acked", "o"))


def inversions(frame: "pd.DataFrame") -> None:
    """Draw how often each set-up broke the order within a document, the best set-up first.

    Beside the bars stand the disorder among all events, which does no harm, and the speed.

    Args:
        frame: DataFrame[setup str; overall, per_key int: pairs worked on in the wrong order among
            all events and among events with the same key; times_as_fast float: the speed
            against one consumer, missing where it was not measured].

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"setup", "overall", "per_key", "times_as_fast"})
    frame = frame.sort_values(["per_key", "times_as_fast"], ascending=[True, False], kind="stable")
    rows, lost = range(len(frame)), style.ROLES["lost"]
    title = "inversions: pairs of events worked on in the wrong order"
    with style.figure(title=title, height_in=1.0 + 0.25 * len(frame)) as axes:
        axes.barh(rows, frame["per_key"], height=0.66, linewidth=0.8, **lost.area("77"))
        for row, count in enumerate(frame["per_key"]):
            _write_count(axes, row, int(count))
        axes.set_yticks(rows, [str(setup) for setup in frame["setup"]])
        axes.set_title("within a document", loc="left", fontsize=9)
        axes.set(xlim=(0, max(1, frame["per_key"].max()) * 1.12), xlabel="pairs")
        axes.set_ylim(len(frame) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        overall = [str(count) for count in frame["overall"]]
        style.write_column(axes, 1.1, "overall", overall, color=style.MUTED)
        speeds = [f"{x:.1f}" if math.isfinite(x) else "" for x in frame["times_as_fast"]]
        style.write_column(axes, 1.22, "times\nas fast", speeds)


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
    """Draw the arrival of each event at a reordering buffer and its release, a band per key.

    An event that is missing in a band's sequence is named in its place.

    Args:
        frame: DataFrame[key str; number int; arrived_s, released_s float, seconds], a row per
            event; the numbers of a key follow each other.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"key", "number", "arrived_s", "released_s"})
    start = frame["arrived_s"].min()
    arrived, released = ((frame[c] - start) * 1000 for c in ("arrived_s", "released_s"))
    with style.figure(title="each event's time in the reordering buffer", height_in=4.4) as axes:
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
        _draw_bands(axes, frame)
        _name_missing(axes, frame.assign(ms=arrived))
        axes.set(xlabel="time since the first arrival [ms]")
        axes.set_ylim(frame["number"].max() + 0.5, frame["number"].min() - 0.5)
        axes.grid(axis="y", visible=False)
        style.legend_above(axes, x=1.0, columns=3, **style.TIGHT)


def _draw_bands(axes: "Axes", frame: "pd.DataFrame") -> None:
    spans = frame.groupby("key")["number"].agg(["min", "max"]).sort_values("min")
    for band, (first, last) in enumerate(spans.itertuples(index=False)):
        if band % 2 == 0:
            axes.axhspan(first - 0.5, last + 0.5, color=style.LIGHT_GREY, linewidth=0, zorder=0)
    axes.set_yticks(spans.mean(axis=1), [str(key) for key in spans.index], fontsize=8)
    axes.tick_params(axis="y", length=0)


def _name_missing(axes: "Axes", frame: "pd.DataFrame") -> None:
    lost = style.ROLES["lost"]
    missing = set(range(frame["number"].min(), frame["number"].max() + 1)) - set(frame["number"])
    for number in sorted(missing):
        later = frame[frame["number"] > number].sort_values("number")["ms"].iloc[0]
        axes.plot(later, number, marker=lost.marker, color=lost.colour, linestyle="", zorder=5)
        axes.annotate(
            f"event {number} never arrives", (later, number), xytext=(7, 1), va="bottom",
            textcoords="offset points", color=style.DARK_VERMILLION, fontsize=8,
        )  # fmt: skip
