"""Draw the figures about workers: latency, jobs left, lanes of a long job, an outage."""

from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd

LANE_IN = 0.62  # height of a lane
ROW_IN = 0.55  # height of a row of the grid
ACCEPTED, UNAVAILABLE, UNANSWERED = 202, 503, 0

# ways of taking a request, inline first, then queued: role
WAYS = (style.ROLES["unacked"], style.ROLES["acked"])

# curves in the order of the set-ups: colour, line and marker
CURVES = (
    (style.ROLES["ready"].colour, "-", "o"),
    (style.ROLES["unacked"].colour, "--", "s"),
    (style.ROLES["acked"].colour, "-.", "^"),
    (style.ROLES["lost"].colour, ":", "X"),
)

# fate of a request: look of its cell
FATES = {
    "accepted, queued": style.ROLES["acked"].area(),
    "accepted, lost": style.ROLES["lost"].area(),
    "refused: 503": style.ROLES["model"].area() | {"hatch": ".."},
    "error: 500": style.ROLES["duplicated"].area(),
    "no answer": style.ROLES["dead-lettered"].area(),
}


def inline_and_queued(latency_ms: "pd.Series", made: "pd.DataFrame") -> None:
    """Draw the users' wait for an answer, and beside it the work done over time.

    Args:
        latency_ms: float per answer, in milliseconds; the first index level is the way of taking
            a request (str), inline or queued.
        made: DataFrame[way str, t_s float, made int]: results so far, by seconds since the load
            began.

    Raises:
        UsageError: nothing to draw, not two ways, or a column is missing.
    """
    frames.check(made, {"way", "t_s", "made"})
    ways = list(dict.fromkeys(latency_ms.index.get_level_values(0)))
    if len(ways) != len(WAYS):
        raise UsageError(f"there must be two ways of taking a request, not {len(ways)}")
    title = "the same load: when the answer comes, and when the work is done"
    with style.figure(title=title, columns=2, height_in=3.8) as (left, right):
        for way, role in zip(ways, WAYS, strict=True):
            waits = sorted(latency_ms.loc[way])
            look = {"color": role.colour, "linestyle": role.line, "marker": role.marker}
            p50, p99 = latency_ms.loc[way].quantile([0.5, 0.99])
            label = f"{way}: p50 {p50:.0f}, p99 {p99:.0f} ms"
            left.plot(waits, range(1, len(waits) + 1), **look, markersize=3.5, label=label)
            steps = made[made["way"] == way]
            right.plot(
                steps["t_s"], steps["made"], **look, markersize=3.5,
                markevery=max(1, len(steps) // 12), label=way,
            )  # fmt: skip
        left.set_xlabel("latency of the answer [ms]")
        left.set_ylabel("requests")
        right.set_xlabel("work done, time since the load began [s]")
        for axes in (left, right):
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
            style.legend_above(axes, x=-0.02, fontsize=8)


def drain_by_workers(curves: "pd.DataFrame") -> None:
    """Draw the number of jobs left over time, a curve per set-up.

    Args:
        curves: DataFrame[setup str, t_s float, left int]: jobs not done yet, by seconds since
            the work could begin; at most four set-ups.

    Raises:
        UsageError: nothing to draw, a column is missing, or too many set-ups.
    """
    frames.check(curves, {"setup", "t_s", "left"})
    setups = list(dict.fromkeys(curves["setup"]))
    if len(setups) > len(CURVES):
        raise UsageError(f"at most {len(CURVES)} set-ups can be told apart, not {len(setups)}")
    with style.figure(title="jobs left over time, by number of workers") as axes:
        for setup, (colour, line, marker) in zip(setups, CURVES, strict=False):
            rows = curves[curves["setup"] == setup]
            axes.plot(
                rows["t_s"], rows["left"], color=colour, linestyle=line, marker=marker,
                markersize=4, markevery=max(1, len(rows) // 10), drawstyle="steps-post",
                label=setup,
            )  # fmt: skip
        axes.set(xlabel="time since the work could begin [s]", ylabel="jobs left")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right")


def heartbeat_lanes(lanes: "pd.DataFrame", *, heartbeat_s: float) -> None:
    """Draw the time that each worker spent on a job, with the heartbeat as a grid.

    Args:
        lanes: DataFrame[worker str, start_s float, end_s float, end str, good bool]: a lane per
            row, seconds since the job was taken first; ``end`` names the way the work ended.
        heartbeat_s: negotiated heartbeat timeout, in seconds, above 0.

    Raises:
        UsageError: nothing to draw, a column is missing, or a heartbeat that is not above 0.
    """
    frames.check(lanes, {"worker", "start_s", "end_s", "end", "good"})
    if not heartbeat_s > 0:
        raise UsageError(f"heartbeat_s must be above 0, not {heartbeat_s!r}")
    last_s = float(lanes["end_s"].max())
    title = f"who works on one long job; heartbeat {heartbeat_s:g} s"
    with style.figure(title=title, height_in=1.1 + LANE_IN * len(lanes)) as axes:
        for row, lane in enumerate(lanes.itertuples()):
            role = style.ROLES["acked" if lane.good else "lost"]
            begin, end = float(lane.start_s), float(lane.end_s)
            axes.barh(row, max(end - begin, last_s / 150), left=begin, height=0.5, **role.area())
            axes.annotate(
                lane.end, (max(end, begin + last_s / 150), row), xytext=(5, 0),
                textcoords="offset points", va="center", color=style.INK,
            )  # fmt: skip
        ticks = [heartbeat_s * n for n in range(int(last_s / heartbeat_s) + 1)]
        axes.set_xticks(ticks)
        axes.set_yticks(range(len(lanes)), list(lanes["worker"]))
        axes.set(xlim=(0, last_s * 1.5), ylim=(len(lanes) - 0.5, -0.5))
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("time since the job was taken [s]")


def outage_answers(answers: "pd.DataFrame") -> None:
    """Draw the fate of the requests in each phase of an outage, a row per way of publishing.

    Args:
        answers: DataFrame[way str, phase str, status int, queued bool], a row per request; status
            0 is no answer. Rows and columns come in the order of first appearance; a cell shows
            the most frequent fate of its requests.

    Raises:
        UsageError: the frame is empty, or a column is missing.
    """
    frames.check(answers, {"way", "phase", "status", "queued"})
    ways, phases = (list(dict.fromkeys(answers[name])) for name in ("way", "phase"))
    fates = answers.assign(
        fate=[_fate(*pair) for pair in zip(answers["status"], answers["queued"], strict=True)]
    ).groupby(["way", "phase"])["fate"]
    title = "what became of requests, by way of publishing and state of the broker"
    with style.figure(title=title, height_in=1.0 + ROW_IN * len(ways)) as axes:
        for (way, phase), of_cell in fates:
            place, fate = (phases.index(phase), ways.index(way)), of_cell.mode()[0]
            grid.draw_cell(axes, place, fate, FATES[fate], weight="normal", fontsize=8)
        grid.set_up(axes, phases, ways)
        axes.xaxis.tick_top()


def _fate(status: int, queued: bool) -> str:
    if status == ACCEPTED:
        return "accepted, queued" if queued else "accepted, lost"
    return {UNAVAILABLE: "refused: 503", UNANSWERED: "no answer"}.get(status, "error: 500")
