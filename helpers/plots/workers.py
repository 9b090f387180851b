"""Draw the figures about workers: latency, jobs left, lanes of a long job, an outage."""

import math
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LANE_IN = 0.62  # height of a lane
ROW_IN = 0.55  # height of a row of the grid
ACCEPTED, UNAVAILABLE, UNANSWERED = 202, 503, 0

# ways of taking a request, inline first, then queued: role
WAYS = (style.ROLES["unacked"], style.ROLES["acked"])

# Of two curves that may lie on each other, one is a pale band beneath the other.
BAND: dict[str, Any] = {"linewidth": 7, "alpha": 0.3, "solid_capstyle": "butt", "zorder": 1.5}

# curves in the order of the set-ups: look, and colour of the label
CURVES: tuple[tuple[dict[str, Any], str], ...] = tuple(
    ({"color": style.ROLES[role].colour} | look, ink)
    for role, look, ink in (
        ("unacked", {"linestyle": "-", "marker": "o"}, style.ROLES["unacked"].colour),
        ("model", {"linestyle": "--", "marker": "s"}, style.MUTED),
        ("acked", {"linestyle": "-.", "marker": "^"}, style.DARK_GREEN),
        ("lost", BAND, style.DARK_VERMILLION),
    )
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
    title = "the same load: latency of the answers, and work done over time"
    with style.figure(title=title, columns=2, height_in=3.2, share_y=False) as (left, right):
        for row, (way, role) in enumerate(zip(ways, WAYS, strict=True)):
            _draw_strip(left, row, way, latency_ms.loc[way], role)
            steps = made[made["way"] == way]
            look = BAND if row == 0 else {"linewidth": 1.8}
            right.plot(steps["t_s"], steps["made"], color=role.colour, label=way, **look)
        left.set(ylim=(len(ways) - 0.4, -0.75), yticks=[], xlabel="latency of the answer [ms]")
        left.set_xscale("log")
        least_ms = min(1, 10 ** math.floor(math.log10(latency_ms.min())))
        left.set_xlim(least_ms, 10 ** math.ceil(math.log10(latency_ms.max() * 1.05)))
        left.xaxis.set_major_formatter("{x:,g}")
        left.spines["left"].set_visible(False)
        right.set(xlabel="time since the load began [s]", ylabel="requests whose work is done")
        right.set_xlim(left=0)
        right.set_ylim(bottom=0)
        right.legend(loc="upper left")


def _draw_strip(axes: "Axes", row: int, way: str, waits_ms: "pd.Series", role: style.Role) -> None:
    """Draw a dot per wait, in the order of the requests, and a line at their median."""
    median, count = waits_ms.median(), len(waits_ms)
    places = [row - 0.25 + 0.5 * (n + 0.5) / count for n in range(count)]
    axes.plot(waits_ms, places, color=role.colour, marker=role.marker, linestyle="", markersize=4)
    axes.plot([median, median], [row - 0.33, row + 0.33], color=style.INK, linewidth=1.2)
    words = f"{way}: median {median:.0f}, slowest {waits_ms.max():.0f} ms"
    axes.text(0.02, row - 0.38, words, va="bottom", transform=axes.get_yaxis_transform())


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
        jobs, ends_s = int(curves["left"].max()), curves.groupby("setup")["t_s"].max()
        for setup, (look, ink) in zip(setups, CURVES, strict=False):
            rows = curves[curves["setup"] == setup]
            axes.plot(
                rows["t_s"], rows["left"], drawstyle="steps-post", markersize=4,
                markevery=max(1, len(rows) // 10), **look,
            )  # fmt: skip
            # Labels never meet: the sooner a curve ends, the lower is its label, right of it.
            height = jobs * (0.06 + 0.12 * list(ends_s.sort_values().index).index(setup))
            beside_s = float(rows.loc[rows["left"] > max(height - 1, 0), "t_s"].max())
            axes.annotate(
                setup, (beside_s, height), xytext=(12, 0), textcoords="offset points",
                va="center", color=ink, weight="bold",
            )  # fmt: skip
        axes.set(xlabel="time since the work could begin [s]", ylabel="jobs left")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)


def heartbeat_lanes(lanes: "pd.DataFrame", *, heartbeat_s: float) -> None:
    """Draw the time that each worker spent on a job, and the server's checks of the connection.

    Args:
        lanes: DataFrame[worker str, start_s float, end_s float, end str, role str]: a lane per
            row, seconds since the job was taken first; ``end`` names the way the work ended,
            ``role`` is one of ``style.ROLES``. A lane that starts later has the job again; the
            server's last check came just before.
        heartbeat_s: negotiated heartbeat timeout, in seconds, above 0.

    Raises:
        UsageError: nothing to draw, a column is missing, or a heartbeat that is not above 0.

    Source: ``rabbit_heartbeat.erl``: the server checks once per heartbeat timeout.
    """
    frames.check(lanes, {"worker", "start_s", "end_s", "end", "role"})
    if not heartbeat_s > 0:
        raise UsageError(f"heartbeat_s must be above 0, not {heartbeat_s!r}")
    last_s, again_s = float(lanes["end_s"].max()), float(lanes["start_s"].max())
    title = f"workers on one long job; heartbeat {heartbeat_s:g} s"
    with style.figure(title=title, height_in=1.4 + LANE_IN * len(lanes)) as axes:
        for row, lane in enumerate(lanes.itertuples()):
            begin, end, role = float(lane.start_s), float(lane.end_s), style.ROLES[str(lane.role)]
            axes.barh(row, end - begin, left=begin, height=0.5, **role.area())
            axes.annotate(
                lane.end, (end, row), xytext=(5, 0), textcoords="offset points", va="center",
            )  # fmt: skip
        checks_s = [again_s - heartbeat_s * n for n in range(round(again_s / heartbeat_s))]
        for n, check_s in enumerate(checks_s):
            axes.axvline(check_s, color=style.INK, linestyle=":", linewidth=1.2)
            words = "server\nchecks" if n else "server checks,\ncloses"
            axes.text(check_s, -0.55, words, ha="center", va="bottom")
        axes.set_xticks([heartbeat_s * n for n in range(int(last_s / heartbeat_s) + 1)])
        axes.set_yticks(range(len(lanes)), list(lanes["worker"]))
        axes.set(xlim=(0, last_s * 1.35), ylim=(len(lanes) - 0.5, -0.5))
        axes.grid(visible=False)
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
    title = "fate of requests, by way of publishing and state of the broker"
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
