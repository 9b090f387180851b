"""Draw the figures about monitoring: old numbers, depth and drain, alerts, lag in two units."""

import math
from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.33  # height of a row
LEAST_S = 0.1  # left end of the logarithmic axis of seconds

# source of a number: colour, line style, marker
SOURCES = {
    "published": (style.INK, "-", ""),
    "passive declare": (style.ROLES["acked"].colour, "", "o"),
    "Prometheus endpoint": (style.ROLES["unacked"].colour, "--", "^"),
    "management API": (style.ROLES["lost"].colour, ":", "X"),
}
STATES = {"pending": style.ROLES["ready"], "firing": style.ROLES["lost"]}
QUEUES = (style.ROLES["unacked"], style.ROLES["duplicated"])


def old_numbers(readings: "pd.DataFrame") -> None:
    """Draw the changing depth of a queue as several sources report it.

    Args:
        readings: DataFrame[t_s float, then a column of messages per source]: "published" and any
            of "passive declare", "Prometheus endpoint", "management API"; a number is missing
            where its source had none.

    Raises:
        UsageError: a column is missing or unknown, or no rows.
    """
    frames.check(readings, {"t_s", "published"})
    sources = [name for name in readings if name != "t_s"]
    if unknown := set(sources) - set(SOURCES):
        raise UsageError(f"sources are {', '.join(SOURCES)}, not {sorted(unknown)!r}")
    with style.figure(title="one queue's depth, by source") as axes:
        for name in sources:
            colour, line, marker = SOURCES[name]
            values = readings[["t_s", name]].dropna()
            axes.plot(
                values["t_s"], values[name], color=colour, linestyle=line or "none", marker=marker,
                markersize=4, drawstyle="steps-post", label=name, zorder=3 if marker == "o" else 2,
            )  # fmt: skip
        axes.set(xlabel="time [s]", ylabel="messages ready", ylim=(-1.5, None))
        axes.legend(loc="upper left")


def depth_and_drain(queues: "pd.DataFrame") -> None:
    """Draw the depth of each queue beside the time to drain it.

    Args:
        queues: DataFrame indexed by queue (str): ``ready`` [messages] and ``drain_s`` [s], the
            depth over the rate at which messages are settled; infinite if that rate is 0.

    Raises:
        UsageError: a column is missing, or no rows.
    """
    frames.check(queues, {"ready", "drain_s"})
    names = [str(name) for name in queues.index]
    rows = range(len(names))
    ready, drain_s = queues["ready"].astype(float), queues["drain_s"].astype(float)
    finite = [value for value in drain_s if math.isfinite(value)]
    most_s = 10 * max([10.0, *finite])
    title, height_in = "depth and time to drain, by queue", 1.2 + ROW_IN * len(names)
    with style.figure(title=title, columns=2, height_in=height_in) as (left, right):
        role = style.ROLES["ready"]
        left.barh(rows, ready, **role.area("99"))
        for row, value in enumerate(ready):
            _write(left, value, row, f"{value:,.0f}")
        left.set_xlim(0, 1.3 * max(1.0, ready.max()))
        left.set_xlabel("messages ready")
        left.set_yticks(rows, names)
        left.set_ylim(len(names) - 0.5, -0.5)
        for row, value in enumerate(drain_s):
            shown, role = _drain(value)
            right.barh(row, max(min(value, most_s), LEAST_S), **role.area("99"))
            inside = not math.isfinite(value)
            _write(right, most_s / 60 if inside else max(value, LEAST_S), row, shown, boxed=inside)
        right.set(xscale="log", xlim=(LEAST_S, most_s), xlabel="time to drain [s]")
        right.grid(axis="y", visible=False)
        left.grid(axis="y", visible=False)


def alerts(history: "pd.DataFrame") -> None:
    """Draw the times in which each alert was pending or firing, a row per alert.

    Args:
        history: DataFrame[alert str, queue str, state str, t_s float]: a row for each second in
            which an alert was "pending" or "firing"; ``queue`` is "" for none.

    Raises:
        UsageError: a column is missing, no rows, or an unknown state.
    """
    frames.check(history, {"alert", "queue", "state", "t_s"})
    if unknown := set(history["state"]) - set(STATES):
        raise UsageError(f"state must be pending or firing, not {sorted(unknown)!r}")
    rows = history.groupby(["alert", "queue"])["t_s"].min().sort_values(kind="stable").index
    title, height_in = "alerts over time", 1.1 + ROW_IN * len(rows)
    with style.figure(title=title, height_in=height_in) as axes:
        for state, role in STATES.items():
            for row, (alert, queue) in enumerate(rows):
                chosen = history[(history["alert"] == alert) & (history["queue"] == queue)]
                seconds = chosen[chosen["state"] == state]["t_s"]
                bars = [(second, 1) for second in seconds]
                axes.broken_barh(bars, (row - 0.35, 0.7), linewidth=0, **role.area("aa"))
        labels = [f"{alert}  {queue}".strip() for alert, queue in rows]
        axes.set_yticks(range(len(rows)), labels)
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="time since the first scrape [s]")
        axes.set_xlim(0, history["t_s"].max() + 1)
        axes.grid(axis="y", visible=False)
        _state_legend(axes)


def behind(samples: "pd.DataFrame") -> None:
    """Draw the lag of two queues: in messages on the left, in seconds on the right.

    Args:
        samples: DataFrame[queue str, t_s float, ready int [messages], age_s float: age of the
            oldest message, estimate_s float: the same by Little's law].

    Raises:
        UsageError: a column is missing, no rows, or more than two queues.
    """
    frames.check(samples, {"queue", "t_s", "ready", "age_s", "estimate_s"})
    queues = list(dict.fromkeys(samples["queue"]))
    if len(queues) > len(QUEUES):
        raise UsageError(f"at most {len(QUEUES)} queues can be told apart, not {len(queues)}")
    title = "how far behind, in messages and in seconds"
    with style.figure(title=title, columns=2, height_in=3.2, share_y=False) as (left, right):
        for queue, role in zip(queues, QUEUES, strict=False):
            chosen = samples[samples["queue"] == queue]
            left.plot(
                chosen["t_s"], chosen["ready"], color=role.colour, linestyle=role.line, label=queue
            )
            right.plot(chosen["t_s"], chosen["age_s"], color=role.colour, linestyle=role.line)
            right.plot(
                chosen["t_s"], chosen["estimate_s"], color=role.colour, marker=role.marker,
                linestyle="none", markersize=4,
            )  # fmt: skip
        right.plot([], [], color=style.INK, label="line: measured")
        right.plot([], [], color=style.INK, marker="o", linestyle="none", label="marks: estimated")
        left.set(xlabel="time [s]", ylabel="messages ready")
        right.set(xlabel="time [s]", ylabel="age of the oldest [s]")
        for axes in (left, right):
            axes.set_ylim(0, None)
            axes.legend(loc="upper left", fontsize=8)


def _drain(value: float) -> tuple[str, style.Role]:
    if not math.isfinite(value):
        return "never", style.ROLES["lost"]
    return f"{value:,.0f} s" if value >= 1 else "under 1 s", style.ROLES["unacked"]


def _write(axes: "Axes", x: float, y: float, text: str, *, boxed: bool = False) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": style.PAPER, "edgecolor": "none"}
    axes.annotate(
        text, (x, y), xytext=(4, 0), textcoords="offset points", va="center", color=style.INK,
        fontsize=8, bbox=box if boxed else None,
    )  # fmt: skip


def _state_legend(axes: "Axes") -> None:
    from matplotlib.patches import Patch

    patches = [Patch(label=name, linewidth=0, **role.area("aa")) for name, role in STATES.items()]
    style.legend_above(axes, patches, x=1.0, columns=2)
