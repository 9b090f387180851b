"""Draw the figures about monitoring: old numbers, depth and wait, alerts, lag in two units."""

import math
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.33  # height of a row
OURS = "RabbitMQ"  # the name of each rule of monitoring/alerts.yml begins with it
LEAST_S = 0.1  # left end of the logarithmic axis of seconds

STATES = {"pending": style.ROLES["ready"], "firing": style.ROLES["lost"]}
ANSWERS = {"acked": "right", "lost": "wrong"}
QUEUES = (style.ROLES["unacked"], style.ROLES["duplicated"])


def old_numbers(readings: "pd.DataFrame") -> None:
    """Draw the changing depth of a queue and the answers of several sources, a panel per source.

    Args:
        readings: DataFrame[t_s float, seconds; truth int, messages; and a column of messages for
            each source, missing where the source had no number].

    Raises:
        UsageError: a column is missing, no source, or no rows.
    """
    frames.check(readings, {"t_s", "truth"})
    sources = [name for name in readings if name not in ("t_s", "truth")]
    if not sources:
        raise UsageError("there is nothing to draw: the frame has no source beside `truth`")
    from matplotlib.ticker import MaxNLocator

    title = "one queue's depth: the truth, and the answers of each source"
    with style.figure(title=title, columns=len(sources), height_in=3.2) as panels:
        for axes, name in zip(panels, sources, strict=True):
            axes.plot(
                readings["t_s"], readings["truth"], color=style.INK, drawstyle="steps-post",
                linewidth=1.2, zorder=2,
            )  # fmt: skip
            _draw_answers(axes, readings, readings[name])
            axes.set_title(name.replace(" ", "\n"), loc="left", fontsize=9)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            axes.set(xlabel="time [s]", ylim=(0, 1.08 * max(1, readings["truth"].max())))
        panels[0].set_ylabel("messages ready")
        _answer_legend(panels[0])


def depth_and_wait(queues: "pd.DataFrame") -> None:
    """Draw the depth of each queue beside the wait of a message that arrives now.

    Args:
        queues: DataFrame indexed by queue (str): ``ready`` [messages]; ``consumers`` [count];
            ``grows_per_s`` [messages ready per second]; ``wait_s`` [s], the depth over the rate
            of acks, infinite where messages are waiting or held and none is acked.

    Raises:
        UsageError: a column is missing, or no rows.
    """
    frames.check(queues, {"ready", "consumers", "grows_per_s", "wait_s"})
    from matplotlib.ticker import MaxNLocator

    names = [str(name) for name in queues.index]
    rows = range(len(names))
    ready, wait_s = queues["ready"].astype(float), queues["wait_s"].astype(float)
    most_s = 30 * max([10.0, *(value for value in wait_s if math.isfinite(value))])
    title, height_in = "depth and wait, by queue", 1.2 + ROW_IN * len(names)
    with style.figure(title=title, columns=2, height_in=height_in) as (left, right):
        left.barh(rows, ready, **style.ROLES["ready"].area("99"))
        for row, value in enumerate(ready):
            _write(left, value, row, f"{value:,.0f}")
        left.set_xlim(0, 1.3 * max(1.0, ready.max()))
        left.set_xlabel("messages ready")
        left.xaxis.set_major_locator(MaxNLocator(4))
        left.set_yticks(rows, names)
        left.set_ylim(len(names) - 0.5, -0.5)
        for row, (value, consumers) in enumerate(zip(wait_s, queues["consumers"], strict=True)):
            endless = not math.isfinite(value)
            role = style.ROLES["lost" if endless else "unacked"]
            right.barh(row, max(min(value, most_s), LEAST_S), **role.area("99"))
            _write(right, LEAST_S if endless else max(value, LEAST_S), row,
                   _wait(value, consumers), boxed=endless)  # fmt: skip
        right.set(xscale="log", xlim=(LEAST_S, most_s), xlabel="wait of a new message [s]")
        drains = [_drains(*queue) for queue in zip(ready, queues["grows_per_s"], strict=True)]
        style.write_column(right, 1.22, "drains in", drains)
        for axes in (left, right):
            axes.grid(axis="y", visible=False)


def one_incident(readings: "pd.DataFrame") -> None:
    """Draw the metrics of one incident over time, a panel per metric.

    Args:
        readings: DataFrame[t_s float, seconds; and a column of messages for each metric].

    Raises:
        UsageError: a column is missing, no metric, or no rows.
    """
    frames.check(readings, {"t_s"})
    metrics = [str(name) for name in readings if name != "t_s"]
    if not metrics:
        raise UsageError("there is nothing to draw: the frame has no metric beside `t_s`")
    from matplotlib.ticker import MaxNLocator

    title = "one incident, in messages"
    with style.figure(title=title, columns=len(metrics), height_in=1.9, share_y=False) as panels:
        for axes, name in zip(panels, metrics, strict=True):
            axes.plot(readings["t_s"], readings[name], color=style.INK, linewidth=1.2)
            axes.set_title(name.replace(" ", "\n"), loc="left", fontsize=9)
            axes.set(xlabel="time [s]", ylim=(0, 1.1 * max(1.0, readings[name].max())))
            for axis, ticks in ((axes.xaxis, 3), (axes.yaxis, 4)):
                axis.set_major_locator(MaxNLocator(ticks, integer=True))


def alerts(history: "pd.DataFrame", *, speed: int = 1) -> None:
    """Draw the times in which each alert was pending or firing, a row per alert.

    Those that fired stand above, first come first; below are those that were pending only.

    Args:
        history: DataFrame[alert str, queue str, state str, t_s float]: a row for each second in
            which an alert was "pending" or "firing"; ``queue`` is "" for none.
        speed: how many times shorter each ``for`` was than in the rules; 1 for not at all.

    Raises:
        UsageError: a column is missing, no rows, or an unknown state.
    """
    frames.check(history, {"alert", "queue", "state", "t_s"})
    if unknown := set(history["state"]) - set(STATES):
        raise UsageError(f"state must be pending or firing, not {sorted(unknown)!r}")
    first = history.groupby(["alert", "queue", "state"])["t_s"].min().unstack("state")
    first = first.reindex(columns=list(STATES)).sort_values(["firing", "pending"], kind="stable")
    title, height_in = "alerts over time", 1.1 + ROW_IN * len(first)
    with style.figure(title=title, height_in=height_in) as axes:
        for row, (alert, queue) in enumerate(first.index):
            chosen = history[(history["alert"] == alert) & (history["queue"] == queue)]
            for state, role in STATES.items():
                seconds = chosen[chosen["state"] == state]["t_s"]
                bars = [(second, 1) for second in seconds]
                axes.broken_barh(bars, (row - 0.35, 0.7), linewidth=0, **role.area("aa"))
            if math.isnan(first["firing"].iloc[row]):
                _write(axes, chosen["t_s"].max() + 1, row, "not for long enough: did not fire")
        labels = [f"{alert.removeprefix(OURS)}  {queue}".strip() for alert, queue in first.index]
        axes.set_yticks(range(len(first)), labels)
        shortened = "" if speed == 1 else f"; for: at scale 1/{speed}"
        axes.set(
            ylim=(len(first) - 0.5, -0.5), xlabel=f"time since the first scrape [s]{shortened}"
        )
        axes.set_xlim(0, history["t_s"].max() + 1)
        axes.grid(axis="y", visible=False)
        fired = int(first["firing"].notna().sum())
        if 0 < fired < len(first):
            axes.axhline(fired - 0.5, color=style.MUTED, linewidth=0.8)
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


def _draw_answers(axes: "Axes", readings: "pd.DataFrame", said: "pd.Series[float]") -> None:
    """Mark right and wrong answers; shade the times without one."""
    none, right = said.isna(), said == readings["truth"]
    ends_s = readings["t_s"].shift(-1).fillna(readings["t_s"].max())
    for begin_s, end_s in zip(readings["t_s"][none], ends_s[none], strict=True):
        axes.axvspan(begin_s, end_s, color=style.LIGHT_GREY, linewidth=0, zorder=0)
    for role, chosen in (("acked", right), ("lost", ~right & ~none)):
        if chosen.any():  # constrained layout has no place for an empty line that isn't clipped
            axes.plot(readings["t_s"][chosen], said[chosen], clip_on=False, **_mark(role))


def _mark(role: str) -> dict[str, Any]:
    look = style.ROLES[role]
    edge = {"markeredgecolor": style.PAPER, "markeredgewidth": 0.4}
    mark = {"color": look.colour, "marker": look.marker, "markersize": 5, "linestyle": ""}
    return {"label": ANSWERS[role], "zorder": 3} | mark | edge


def _answer_legend(axes: "Axes") -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=style.INK, label="truth"),
        *[Line2D([], [], **_mark(role)) for role in ANSWERS],
        Patch(label="no answer yet", color=style.LIGHT_GREY),
    ]
    axes.figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def _wait(value: float, consumers: float) -> str:
    if not math.isfinite(value):
        return "stuck" if consumers else "no consumer"
    return f"{value:,.0f} s" if value >= 1 else "under 1 s"


def _drains(ready: float, grows_per_s: float) -> str:
    if not ready:
        return ""
    return f"{ready / -grows_per_s:,.0f} s" if grows_per_s < 0 else "never"


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
