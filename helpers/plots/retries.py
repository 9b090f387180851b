"""Draw the figures about retries: the ladder, head-of-line blocking, the herd, where to wait."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import frames, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SLOTS_PER_S = 10  # calls of the herd are counted per 100 ms
LANE_IN = 0.3
FINE, RETRY = "fine", "retry"
ROW_IN, GAP_ROWS = 0.045, 6  # of the messages that wait
WAITS = {
    "ready": "in the queue",
    "unacked": "in the consumer",
    "lost": "the failed one",
}
ENDS = {"unacked": "failed: to a delay queue", "dead-lettered": "last try failed: to the DLQ"}


def ladder(tries: "pd.DataFrame", *, planned_s: Sequence[float]) -> None:
    """Draw every try of every message, a lane per message, beside the planned times.

    Args:
        tries: DataFrame[message str, attempt int, t_s float]; attempt 0 is the first try, t_s
            the seconds since the first of all tries.
        planned_s: planned time of each try, in seconds since the first.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(tries, {"message", "attempt", "t_s"})
    lanes = {name: lane for lane, name in enumerate(tries["message"].unique())}
    last = tries["attempt"].max()
    title = "tries of messages that always fail"
    with style.figure(title=title, height_in=1.3 + len(lanes) * 0.2) as axes:
        for at_s in planned_s:
            axes.axvline(at_s, color=style.MUTED, linestyle="--", linewidth=1)
        for attempt, seen in tries.groupby("attempt"):
            _dots(axes, seen, lanes, "dead-lettered" if attempt == last else "unacked")
        axes.set_yticks([0, len(lanes) - 1], ["message 1", f"message {len(lanes)}"])
        axes.set_xticks(planned_s, [f"{at_s:g}" for at_s in planned_s])
        axes.set(xlabel="time since the first try [s]", ylim=(len(lanes) - 0.5, -0.7))
        axes.set_xlim(-0.3, max(tries["t_s"].max(), *planned_s) + 0.5)
        axes.grid(visible=False)
        _explain(
            axes,
            ("planned", {"color": style.MUTED, "linestyle": "--", "linewidth": 1}),
            *[(text, _look(role)) for role, text in ENDS.items()],
        )


def _dots(axes: "Axes", seen: "pd.DataFrame", lanes: dict[str, int], role: str) -> None:
    rows = [lanes[name] for name in seen["message"]]
    axes.plot(seen["t_s"], rows, **_look(role), label=ENDS[role])


def _look(role: str) -> dict[str, Any]:
    look = style.ROLES[role]
    return {"color": look.colour, "marker": look.marker, "linestyle": "", "markersize": 5.5}


def due_and_back(frame: "pd.DataFrame") -> None:
    """Draw for each waiting message its due time and its return, a group of lanes per set-up.

    Args:
        frame: DataFrame[setup str, due_s float, back_s float], a row per message.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(frame, {"setup", "due_s", "back_s"})
    due, late, back = style.INK, style.ROLES["lost"], style.ROLES["acked"]
    title = "when each message is due and when it comes back"
    with style.figure(title=title, height_in=1.2 + len(frame) * LANE_IN) as axes:
        lane, ticks = 0.0, []
        for setup, group in frame.groupby("setup", sort=False):
            axes.text(0, lane - 0.75, f"{setup}", weight="bold", fontsize=9, va="center")
            for due_s, back_s in sorted(zip(group["due_s"], group["back_s"], strict=True))[::-1]:
                axes.plot([0, due_s], [lane, lane], color=back.colour, linewidth=5, alpha=0.45)
                axes.plot([due_s, max(due_s, back_s)], [lane, lane], color=late.colour,
                          linewidth=2.5, linestyle=late.line)  # fmt: skip
                axes.plot(due_s, lane, "|", color=due, markersize=13, markeredgewidth=2)
                axes.plot(back_s, lane, back.marker, color=back.colour, markersize=7)
                ticks.append((lane, f"{due_s:g} s"))
                lane += 1
            lane += 0.9
        axes.set_yticks(*zip(*ticks, strict=True))
        axes.set(xlabel="time since publishing [s]", ylim=(lane - 1.2, -1.3), xlim=(0, None))
        axes.grid(axis="y", visible=False)
        _explain(axes, ("waits", {"color": back.colour, "linewidth": 5, "alpha": 0.45}),
              ("due", {"color": due, "marker": "|", "linestyle": "", "markersize": 11}),
              ("held up", {"color": late.colour, "linewidth": 2.5, "linestyle": late.line}),
              ("back", {"color": back.colour, "marker": back.marker, "linestyle": ""}))  # fmt: skip


def herd(calls: "pd.DataFrame", *, until_s: float) -> None:
    """Draw the calls per 100 ms under each kind of jitter, a panel per kind.

    Beside each panel stand its worst burst after the first wave, the number of calls, and the
    time of the last one; panels share both scales.

    Args:
        calls: DataFrame[jitter str, t_s float], a row per call.
        until_s: end of the time axis, in seconds.

    Raises:
        UsageError: a column is missing, or there is nothing to draw.
    """
    frames.check(calls, {"jitter", "t_s"})
    kinds = list(calls["jitter"].unique())
    counts = {k: _per_slot(calls[calls["jitter"] == k]["t_s"]) for k in kinds}
    height = 1.35 * max(max(slots.values()) for slots in counts.values())
    blue = style.ROLES["unacked"].colour
    with style.figure(
        title="calls per 100 ms, by jitter", height_in=0.9 + 0.62 * len(kinds)
    ) as axes:
        for row, kind in enumerate(kinds):
            base, slots = -row * height, counts[kind]
            shown = range(int(until_s * SLOTS_PER_S) + 1)
            at_s = [slot / SLOTS_PER_S for slot in shown]
            tops = [base + slots.get(slot, 0) for slot in shown]
            axes.fill_between(at_s, base, tops, step="post", color=blue, linewidth=0.6)
            axes.axhline(base, color=style.MUTED, linewidth=0.6)
            first = slots.get(0, 0)
            axes.annotate(f"{first:,}", (0, base + first), xytext=(-2, 1),
                          textcoords="offset points", fontsize=8)  # fmt: skip
            worst = max((n for slot, n in slots.items() if slot > 0), default=0)
            text = f"worst burst {worst:,}\n{sum(slots.values()):,} calls\n"
            text += f"done after {max(slots) / SLOTS_PER_S:,.0f} s"
            axes.text(1.02, base + 0.4 * height, text, fontsize=8, va="center",
                      transform=axes.get_yaxis_transform())  # fmt: skip
        axes.set_yticks([-row * height + 0.4 * height for row in range(len(kinds))], kinds)
        axes.set(xlabel="time since the first wave [s]", xlim=(-0.2, until_s))
        axes.set_ylim(-(len(kinds) - 1) * height - 0.02 * height, height)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", visible=False)


def _per_slot(times_s: "pd.Series[float]") -> Counter[int]:
    return Counter(int(at_s * SLOTS_PER_S) for at_s in times_s)


def done_while_waiting(frame: "pd.DataFrame") -> None:
    """Draw how long each good message waits behind a failed one, a group of rows per set-up.

    Args:
        frame: DataFrame[setup str; kind str; held bool; t_s float]: kind "fine" is a good message
            that is done at t_s, "retry" the next try of the failed one; held tells that the
            good one waits in the consumer's buffer and not in the queue.

    Raises:
        UsageError: a column is missing, no rows, or a kind is neither of the two.
    """
    frames.check(frame, {"setup", "kind", "held", "t_s"})
    unknown = set(frame["kind"]) - {FINE, RETRY}
    if unknown:
        raise UsageError(f"kind must be {FINE!r} or {RETRY!r}, not {sorted(unknown)!r}")
    title = "good messages done while one waits for its retry"
    end_s, top, middles = frame["t_s"].max(), 0, {}
    with style.figure(title=title, height_in=1.1 + ROW_IN * len(frame)) as axes:
        for setup, group in frame.groupby("setup", sort=False):
            good, retry = (group[group["kind"] == kind]["t_s"] for kind in (FINE, RETRY))
            held = group.loc[good.index, "held"]
            roles = ["unacked" if here else "ready" for here in held]
            _draw_waits(axes, top, [*retry, *good], ["lost"] * len(retry) + roles)
            middles[str(setup)] = top + len(good) / 2
            before = int((good < retry.min()).sum())
            text = f"{before} of {len(good)} done\nbefore the retry"
            axes.text(1.04 * end_s, middles[str(setup)], text, va="center", fontsize=8)
            top += len(group) + GAP_ROWS
        axes.set_yticks([*middles.values()], [name.replace(", ", ",\n") for name in middles])
        axes.set(xlabel="time [s]", xlim=(0, 1.02 * end_s), ylim=(top - GAP_ROWS + 1, -2))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        _explain(axes, *[(text, _line(role)) for role, text in WAITS.items()],
                 ("done", {"color": style.ROLES["acked"].colour, "marker": "o", "linestyle": "",
                           "markersize": 3}))  # fmt: skip


def _draw_waits(axes: "Axes", top: int, ends_s: list[float], roles: list[str]) -> None:
    for row, (end_s, role) in enumerate(zip(ends_s, roles, strict=True), top):
        end = style.ROLES["lost" if role == "lost" else "acked"]
        axes.plot([0, end_s], [row, row], **_line(role))
        axes.plot(end_s, row, marker=end.marker, color=end.colour, clip_on=False,
                  markersize=6 if role == "lost" else 3)  # fmt: skip


def _line(role: str) -> dict[str, Any]:
    look = style.ROLES[role]
    return {"color": look.colour, "linestyle": look.line, "linewidth": 1.6}


def _explain(axes: "Axes", *looks: tuple[str, dict[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=label, **look) for label, look in looks]
    style.legend_above(
        axes, handles, columns=len(handles), columnspacing=1.4, handletextpad=0.5, borderpad=0.2
    )
