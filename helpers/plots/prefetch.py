"""Draw the figures about prefetch: a worker's clock, its queue, the throughput and its knee."""

from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NO_LIMIT = "no limit"
NO_LIMIT_AT = 250  # place of prefetch 0, which is no limit, on an axis from 1 to 100
# distances from near to far: colours that stay apart where the curves meet, marker and line
DISTANCES = (
    (style.INK, "o", "-"),
    (style.ROLES["acked"].colour, "s", "-"),
    (style.ROLES["unacked"].colour, "^", "-"),
)
LANE_GAP, GROUP_GAP = 1.0, 1.0


def prefetch_clock(frame: "pd.DataFrame") -> None:
    """Draw a worker's use of time, a pair of lanes for each prefetch.

    Args:
        frame: DataFrame[prefetch int; sent, begins, ends, acked float], a row per message: the
            times at which the broker sends it, its work begins and ends, and its ack arrives, in
            multiples of the work on one message.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"prefetch", "sent", "begins", "ends", "acked"})
    title = "one worker's clock, as the model draws it"
    with style.figure(title=title, height_in=0.9 + 1.15 * frame["prefetch"].nunique()) as axes:
        lanes: dict[float, str] = {}
        for number, (prefetch, rows) in enumerate(frame.groupby("prefetch")):
            broker = -number * (LANE_GAP + GROUP_GAP)
            lanes |= {broker: "broker", broker - LANE_GAP: "worker"}
            axes.text(
                0, broker + 0.2, f"prefetch {prefetch}", weight="bold", va="bottom",
                color=style.INK,
            )  # fmt: skip
            _draw_clock(axes, rows, broker)
        axes.set_yticks(list(lanes), list(lanes.values()))
        axes.set(xlim=(-0.1, None), ylim=(min(lanes) - 0.5, 0.75))
        axes.set_xlabel("time [multiples of the work on one message]")
        axes.grid(visible=False)
        axes.tick_params(axis="y", length=0)
        axes.spines[["left"]].set_visible(False)
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=3, borderpad=0)


def _draw_clock(axes: "Axes", rows: "pd.DataFrame", broker: float) -> None:
    from matplotlib.patches import Rectangle

    worker = broker - LANE_GAP
    labels = axes.get_legend_handles_labels()[1]
    ready, acked, unacked = (style.ROLES[name] for name in ("ready", "acked", "unacked"))
    end = rows["acked"].max()
    for ended, begins in zip(rows["ends"], rows["begins"].iloc[1:], strict=False):
        if begins - ended > 1:
            axes.text(
                (ended + begins) / 2, worker + 0.06, "idle", ha="center", va="bottom",
                color=style.ROLES["lost"].colour, fontsize=8,
            )  # fmt: skip
    for lane in (broker, worker):
        axes.plot([0, end], [lane, lane], color=style.MUTED, linewidth=0.8, zorder=1)
    for number, row in enumerate(rows.itertuples()):
        first = number == 0 and "work" not in labels
        one_way = row.acked - row.ends
        axes.plot(
            [row.sent, row.sent + one_way], [broker, worker], color=ready.colour, linestyle="--",
            linewidth=1.3, label="delivery" if first else None, zorder=2,
        )  # fmt: skip
        axes.plot(
            [row.ends, row.acked], [worker, broker], color=acked.colour, linestyle="-",
            linewidth=1.3, label="ack" if first else None, zorder=2,
        )  # fmt: skip
        axes.add_patch(
            Rectangle(
                (row.begins, worker - 0.2), row.ends - row.begins, 0.4, facecolor=style.PALE_BLUE,
                edgecolor=unacked.colour, hatch=unacked.hatch, linewidth=1, zorder=3,
                label="work" if first else None,
            )
        )  # fmt: skip


def ready_and_unacked(frame: "pd.DataFrame") -> None:
    """Draw the ready and the unacknowledged messages of a queue over time, a panel per prefetch.

    Args:
        frame: DataFrame[prefetch int; t_s float, seconds since the start; ready, unacked float].

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"prefetch", "t_s", "ready", "unacked"})
    groups = list(frame.groupby("prefetch"))
    title = "one queue while a worker drains it, seen by the broker"
    with style.figure(title=title, columns=len(groups), height_in=2.8) as columns:
        for axes, (prefetch, rows) in zip(columns, groups, strict=True):
            axes.set_title(f"prefetch {prefetch}")
            for name, width in (("ready", 1.6), ("unacked", 2.2)):
                role = style.ROLES[name]
                axes.plot(
                    rows["t_s"], rows[name], color=role.colour, linestyle=role.line,
                    linewidth=width, marker=role.marker, markersize=3.5, label=name,
                )  # fmt: skip
            axes.axhline(prefetch, color=style.MUTED, linestyle=":", linewidth=1)
            axes.set(ylim=(0, None), xlabel="time [s]")
        columns[0].set_ylabel("messages")
        columns[-1].legend(loc="upper right", borderpad=0.2)


def throughput_by_prefetch(measured: "pd.DataFrame", model: "pd.DataFrame") -> None:
    """Draw the throughput for each prefetch at several distances, beside the model's curves.

    Args:
        measured: DataFrame[distance str, from near to far; prefetch int, 0 is no limit;
            msgs_per_s float].
        model: predicted values in the same columns, and ``knee`` float: the lowest prefetch
            on the flat part of the curve.

    Raises:
        UsageError: a column is missing, there is nothing to draw, or more than three distances.
    """
    frames.check(measured, {"distance", "prefetch", "msgs_per_s"})
    frames.check(model, {"distance", "prefetch", "msgs_per_s", "knee"})
    looks = _looks(measured)
    with style.figure(
        title="throughput by prefetch and distance from the broker", height_in=4.0
    ) as axes:
        axes.set(xscale="log", yscale="log")
        axes.axvline(10, color=style.MUTED, linewidth=6, alpha=0.15)
        for number, (distance, (colour, marker, line)) in enumerate(looks.items()):
            curve = model[model["distance"] == distance].sort_values("prefetch")
            dashed = style.ROLES["model"]
            axes.plot(
                curve["prefetch"], curve["msgs_per_s"], color=dashed.colour, linestyle=dashed.line,
                linewidth=1.2, label=None if number else "model: min(P / (RTT + S), 1 / S)",
                zorder=2,
            )  # fmt: skip
            rows = _by_prefetch(measured[measured["distance"] == distance])
            axes.plot(
                rows["x"], rows["msgs_per_s"], color=colour, marker=marker, linestyle=line,
                markersize=6, linewidth=1.8, zorder=3,
            )  # fmt: skip
            first = rows.iloc[0]
            axes.annotate(
                distance, (first["x"], first["msgs_per_s"]), xytext=(9, -4),
                textcoords="offset points", color=colour, weight="bold", va="top",
            )  # fmt: skip
            _mark_knee(axes, curve, colour)
        axes.plot([], [], marker="v", linestyle="", color=style.INK, label="knee: 1 + RTT / S")
        axes.set_ylabel("throughput [messages/s]")
        axes.set_ylim(axes.get_ylim()[0] / 1.25, axes.get_ylim()[1] * 1.7)
        _logarithmic_ticks(axes)
        axes.text(
            10, axes.get_ylim()[0] * 1.15, "the usual 10", ha="center", va="bottom", fontsize=8,
            color=style.MUTED, backgroundcolor=f"{style.PAPER}b0",
        )  # fmt: skip
        axes.legend(loc="lower right", borderpad=0.2)


def _mark_knee(axes: "Axes", curve: "pd.DataFrame", colour: str) -> None:
    knee = float(curve["knee"].iloc[0])
    top = float(curve["msgs_per_s"].max())
    axes.annotate(
        f"{knee:.0f}" if knee >= 2 else f"{knee:.1f}", (knee, top), xytext=(0, 16),
        textcoords="offset points", ha="center", va="bottom", weight="bold", color=colour,
        arrowprops={"arrowstyle": "-|>", "color": style.INK, "shrinkA": 0, "shrinkB": 2},
    )  # fmt: skip


def uneven_workers(frame: "pd.DataFrame") -> None:
    """Draw the time at which each of two workers has finished, and its number of messages.

    Args:
        frame: DataFrame[prefetch int, 0 is no limit; worker str; messages int; finished_s float,
            seconds since the first delivery], two workers for each prefetch.

    Raises:
        UsageError: a column is missing, there is nothing to draw, or not two workers.
    """
    frames.check(frame, {"prefetch", "worker", "messages", "finished_s"})
    workers = list(dict.fromkeys(frame["worker"]))
    if len(workers) != 2:
        raise UsageError(f"there must be two workers, not {len(workers)}")
    settings = list(dict.fromkeys(frame["prefetch"]))
    looks = ((style.ROLES["acked"].colour, ""), (style.PALE_GREEN, "//"))
    title = "a fast and a slow worker share one queue"
    with style.figure(title=title, height_in=1.1 + 0.5 * len(settings)) as axes:
        for number, (worker, (colour, hatch)) in enumerate(zip(workers, looks, strict=True)):
            rows = frame[frame["worker"] == worker]
            places = [settings.index(p) + (number - 0.5) * 0.38 for p in rows["prefetch"]]
            bars = axes.barh(
                places, rows["finished_s"], height=0.36, color=colour, hatch=hatch,
                edgecolor=style.DARK_GREEN, linewidth=0.8, label=worker,
            )  # fmt: skip
            axes.bar_label(
                bars, [f"{count} messages" for count in rows["messages"]], padding=4, fontsize=8
            )
        axes.set_yticks(range(len(settings)), [_setting(p) for p in settings])
        axes.set(ylim=(len(settings) - 0.4, -0.6), ylabel="prefetch", xlabel="finished after [s]")
        axes.set_xlim(0, axes.get_xlim()[1] * 1.18)
        axes.grid(axis="y", visible=False)
        axes.legend(loc="upper right", borderpad=0.2)


def prefetch_knee(frame: "pd.DataFrame") -> None:
    """Draw the worker's share of time at work against the prefetch over the recommended one.

    Args:
        frame: DataFrame[distance str, from near to far; prefetch int; needed float, 1 + RTT / S;
            busy float, share of the time from 0 to 1]; rows of prefetch 0, no limit, are left out.

    Raises:
        UsageError: a column is missing, there is nothing to draw, or more than three distances.
    """
    frames.check(frame, {"distance", "prefetch", "needed", "busy"})
    looks = _looks(frame)
    with style.figure(title="how busy the worker is, by prefetch over 1 + RTT / S") as axes:
        axes.set_xscale("log")
        steps = [10 ** (power / 20) for power in range(-40, 41)]
        dashed = style.ROLES["model"]
        axes.plot(
            steps, [100 * min(1.0, step) for step in steps], color=dashed.colour,
            linestyle=dashed.line, label="model", zorder=2,
        )  # fmt: skip
        for distance, (colour, marker, _) in looks.items():
            rows = frame[(frame["distance"] == distance) & (frame["prefetch"] > 0)]
            axes.plot(
                rows["prefetch"] / rows["needed"], 100 * rows["busy"], color=colour, marker=marker,
                linestyle="", markersize=7, label=distance, zorder=3,
            )  # fmt: skip
            for row in rows[rows["prefetch"] == 10].itertuples():
                axes.annotate(
                    "10", (10 / row.needed, 100 * row.busy), xytext=(0, -17), weight="bold",
                    textcoords="offset points", ha="center", color=colour,
                    bbox={"boxstyle": "circle,pad=0.15", "fc": style.PAPER, "ec": colour},
                )  # fmt: skip
        marks = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
        axes.set_xticks(marks, [f"{mark:g}" for mark in marks], minor=False)
        axes.minorticks_off()
        axes.set(ylim=(0, 112), xlim=(0.014, 70))
        axes.set_xlabel("prefetch / (1 + RTT / S)")
        axes.set_ylabel("time at work [%]")
        axes.legend(loc="lower right", borderpad=0.2)


def _by_prefetch(rows: "pd.DataFrame") -> "pd.DataFrame":
    x = rows["prefetch"].where(rows["prefetch"] > 0, NO_LIMIT_AT)
    return rows.assign(x=x).sort_values("x")


def _logarithmic_ticks(axes: "Axes") -> None:
    marks = [1, 2, 5, 10, 20, 50, 100, NO_LIMIT_AT]
    axes.set_xticks(marks, [*map(str, marks[:-1]), NO_LIMIT])
    axes.set_xlabel("prefetch [unacknowledged messages per consumer]")
    low, high = axes.get_ylim()
    rates = [step * 10**power for power in range(6) for step in (1, 2, 5)]
    rates = [rate for rate in rates if low <= rate <= high]
    axes.set_yticks(rates, [f"{rate:,}" for rate in rates])
    axes.minorticks_off()


def _setting(prefetch: int) -> str:
    return str(prefetch) if prefetch else NO_LIMIT


def _looks(frame: "pd.DataFrame") -> dict[str, Any]:
    distances = list(dict.fromkeys(frame["distance"]))
    if len(distances) > len(DISTANCES):
        raise UsageError(f"at most {len(DISTANCES)} distances can be drawn, not {len(distances)}")
    return dict(zip(distances, DISTANCES, strict=False))
