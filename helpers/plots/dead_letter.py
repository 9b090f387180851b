"""Draw the figures about dead letters: a poison message's way, the hot loop, outcomes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.34  # height of a lane or of a row of the grid
DLQ = "dead-letter queue"
POISON, HEALTHY = "poison", "healthy"

# kind of event: name in the legend, colour and marker
STEPS = {
    "deliver": ("delivered", style.ROLES["unacked"].colour, style.ROLES["unacked"].marker),
    "reject": ("rejected, requeued", style.INK, "x"),
    "ack": ("acked", style.ROLES["acked"].colour, style.ROLES["acked"].marker),
    "dead-letter": (
        "dead-lettered",
        style.ROLES["dead-lettered"].colour,
        style.ROLES["dead-lettered"].marker,
    ),
}


def timeline(events: "pd.DataFrame") -> None:
    """Draw the events of each message, a lane each, and the arrivals in the dead-letter queue.

    Deliveries are numbered where a message had several.

    Args:
        events: DataFrame[t_s float, kind str, message str] as ``History.frame`` returns it; kinds
            other than deliver, reject, ack and dead-letter are left out.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(events, {"t_s", "kind", "message"})
    events = events[events["kind"].isin(list(STEPS))].sort_values("t_s")
    if events.empty:
        raise UsageError("there is nothing to draw: no message was delivered")
    lanes = {message: lane for lane, message in enumerate(events["message"].unique())}
    bottom = len(lanes)
    events = events.assign(ms=(events["t_s"] - events["t_s"].min()) * 1000)
    height_in = 1.35 + (bottom + 1) * ROW_IN
    with style.figure(title="what happened to each message", height_in=height_in) as axes:
        for message, lane in lanes.items():
            _draw_lane(axes, events[events["message"] == message], lane, bottom)
        for kind, (name, colour, marker) in STEPS.items():
            seen = events[events["kind"] == kind]
            rows = [bottom if kind == "dead-letter" else lanes[m] for m in seen["message"]]
            axes.scatter(seen["ms"], rows, c=colour, marker=marker, s=38, label=name, zorder=3)
        axes.set_yticks(range(bottom + 1), [*map(str, lanes), DLQ])
        axes.set(xlabel="time since the first delivery [ms]", ylim=(bottom + 0.5, -0.7))
        axes.margins(x=0.03)
        axes.grid(axis="y", visible=False)
        axes.axhspan(bottom - 0.5, bottom + 0.5, color=style.PALE_GREY, zorder=0)
        style.legend_above(axes, columns=4, **style.TIGHT)


def _draw_lane(axes: "Axes", events: "pd.DataFrame", lane: int, bottom: int) -> None:
    deliveries = events[events["kind"] == "deliver"]["ms"].tolist()
    settled = events[events["kind"].isin(["reject", "ack"])]["ms"].tolist()
    blue = style.ROLES["unacked"].colour
    for start, end in zip(deliveries, settled, strict=False):
        axes.plot([start, end], [lane, lane], color=blue, linewidth=2.5, alpha=0.35, zorder=2)
    if len(deliveries) > 1:
        for number, start in enumerate(deliveries, 1):
            axes.annotate(
                str(number), (start, lane), xytext=(0, 6), textcoords="offset points",
                ha="center", fontsize=8, color=style.INK,
            )  # fmt: skip
    for arrived in events[events["kind"] == "dead-letter"]["ms"]:
        purple = style.ROLES["dead-lettered"]
        axes.plot(
            [max([*settled, 0.0]), arrived], [lane, bottom], color=purple.colour,
            linestyle=purple.line, linewidth=1.5, zorder=1,
        )  # fmt: skip


def hot_loop(events: "pd.DataFrame") -> None:
    """Draw deliveries of poison beside healthy messages done since the start, a panel per set-up.

    Redeliveries per second and the number of healthy messages done stand above each panel.

    Args:
        events: DataFrame[setup str, series str, t_s float], a row per delivery of poison (series
            "poison") or healthy message done ("healthy").

    Raises:
        UsageError: a column is missing, no rows, or a series is neither of the two.
    """
    frames.check(events, {"setup", "series", "t_s"})
    unknown = set(events["series"]) - {POISON, HEALTHY}
    if unknown:
        raise UsageError(f"series must be {POISON!r} or {HEALTHY!r}, not {sorted(unknown)!r}")
    setups = list(events["setup"].unique())
    looks = {
        POISON: ("poison: deliveries", style.ROLES["lost"].colour, "-"),
        HEALTHY: ("healthy messages: done", style.ROLES["acked"].colour, "--"),
    }
    title = "deliveries while one poison message is always requeued"
    with style.figure(title=title, columns=len(setups)) as panels:
        for panel, setup in zip(panels, setups, strict=True):
            rows = events[events["setup"] == setup]
            start, end = rows["t_s"].min(), rows["t_s"].max()
            for series, (name, colour, line) in looks.items():
                at = sorted(rows[rows["series"] == series]["t_s"])
                panel.step(
                    [1000 * (t - start) for t in [start, *at, end]], [*range(len(at) + 1), len(at)],
                    where="post", color=colour, linestyle=line, linewidth=2.5, label=name,
                    clip_on=False,  # a line at zero lies on the edge
                )  # fmt: skip
            repeats = max((rows["series"] == POISON).sum() - 1, 0)
            rate = repeats / (end - start) if end > start else 0.0
            panel.set_title(f"{setup}\n{rate:,.0f} redeliveries/s, {len(at)} done", loc="left")
            panel.set(xlabel="time since the first delivery [ms]", xlim=(0, None))
        panels[0].set_ylabel("messages")
        top = max(panel.dataLim.ymax for panel in panels)
        panels[0].set_ylim(0, 1.35 * top)  # room for the legend
        panels[0].legend(loc="upper left")


def outcomes(frame: "pd.DataFrame", *, title: str, names: Mapping[str, str] | None = None) -> None:
    """Draw a cell per message and set-up: a number inside, the fate as colour and hatch.

    Args:
        frame: DataFrame[setup str, message str, count int, fate str]; a fate is the name of a role
            of ``plots.style``, such as "acked", "dead-lettered", "duplicated" or "lost".
        title: meaning of the numbers, such as "times the handler tried each document".
        names: by fate, its name in the legend where the role's own name is not the right one.

    Raises:
        UsageError: a column is missing, no rows, or an unknown fate.
    """
    frames.check(frame, {"setup", "message", "count", "fate"})
    unknown = set(frame["fate"]) - set(style.ROLES)
    if unknown:
        raise UsageError(f"fate must be one of {', '.join(style.ROLES)}, not {sorted(unknown)!r}")
    setups, messages = list(frame["setup"].unique()), list(frame["message"].unique())
    with style.figure(title=title, height_in=1.2 + len(setups) * ROW_IN * 1.5) as axes:
        columns = (frame[name] for name in ("setup", "message", "count", "fate"))
        for setup, message, count, fate in zip(*columns, strict=True):
            place, look = (messages.index(message), setups.index(setup)), style.ROLES[fate].area()
            grid.draw_cell(axes, place, str(count), look, size=(0.88, 0.8), box="circle,pad=0.12")
        grid.set_up(axes, messages, setups)
        axes.set_xlabel("message")
        named = {fate: (names or {}).get(fate, fate) for fate in frame["fate"].unique()}
        looks = {name: style.ROLES[fate].area() for fate, name in named.items()}
        grid.explain(axes, looks, columns=4)
