"""Draw the figures about delivery guarantees: losses, a killed broker, failover, rates."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.5  # height of a row of the grid
BAR_IN = 0.38  # height of a bar
LANE_IN = 0.5  # height of a publisher's lane
BEFORE_S = 0.5  # shown of the time before a fault
EACH_ONCE, LOST, TWICE = "each once", "lost", "twice"

# fate of the messages: role
FATES = {
    EACH_ONCE: style.ROLES["acked"],
    LOST: style.ROLES["lost"],
    TWICE: style.ROLES["duplicated"],
}


def losses(frame: "pd.DataFrame") -> None:
    """Draw the numbers of messages lost and of messages that came twice, by design and fault.

    Args:
        frame: DataFrame[design, fault str; lost, duplicated int], a row for each trial.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"design", "fault", "lost", "duplicated"})
    designs = list(dict.fromkeys(frame["design"]))
    faults = list(dict.fromkeys(frame["fault"]))
    title = "messages lost and messages handled twice, by design and fault"
    with style.figure(title=title, height_in=1.5 + ROW_IN * len(designs)) as axes:
        for trial in frame.itertuples():
            place = (faults.index(trial.fault), designs.index(trial.design))
            _draw_cell(axes, place, int(trial.lost), int(trial.duplicated))
        names = [[str(name).replace(", ", ",\n") for name in part] for part in (faults, designs)]
        grid.set_up(axes, *names)
        grid.explain(axes, {name: role.area() for name, role in FATES.items()})


def survivors(frame: "pd.DataFrame", *, published: int) -> None:
    """Draw the number of messages left after the broker was killed, a bar per store.

    Args:
        frame: DataFrame[store str; survived int].
        published: number of messages in each store before.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"store", "survived"})
    left, lost = FATES[EACH_ONCE], FATES[LOST]
    title = "messages after kill -9 of the broker and a restart, by store"
    with style.figure(title=title, height_in=1.2 + BAR_IN * len(frame)) as axes:
        stores, there = frame["store"], frame["survived"]
        axes.barh(stores, there, height=0.6, color=f"{left.colour}99", label="there")
        part = frame[there < published]
        axes.barh(
            part["store"], published - part["survived"], left=part["survived"], height=0.6,
            linewidth=0.8, label="lost", **lost.area("22"),
        )  # fmt: skip
        for store, count in zip(stores, there, strict=True):
            axes.text(published * 1.02, store, str(count), va="center", color=style.INK)
        axes.invert_yaxis()
        axes.set(xlim=(0, published * 1.1), xlabel=f"messages, of {published}")
        axes.grid(axis="y", visible=False)
        style.legend_above(axes, x=1.01, columns=2, borderpad=0.2)


def publish_rates(frame: "pd.DataFrame", *, round_trip_ms: float) -> None:
    """Draw the rate of each way to publish, a bar each.

    Args:
        frame: DataFrame[publisher str; msgs_per_s float].
        round_trip_ms: time to the broker and back, in milliseconds.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"publisher", "msgs_per_s"})
    publishers, rates = frame["publisher"], frame["msgs_per_s"]
    title = f"messages published per second, {round_trip_ms:g} ms there and back"
    with style.figure(title=title, height_in=1.0 + BAR_IN * len(frame)) as axes:
        axes.barh(publishers, rates, height=0.6, **style.ROLES["unacked"].area())
        for publisher, rate in zip(publishers, rates, strict=True):
            axes.annotate(
                f"{rate:,.0f}", (rate, publisher), xytext=(5, 0), textcoords="offset points",
                va="center", weight="bold", color=style.INK,
            )  # fmt: skip
        axes.invert_yaxis()
        axes.set(xlim=(0, rates.max() * 1.12), xlabel="rate [messages/s]")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(axis="y", visible=False)


def service(frame: "pd.DataFrame", *, fault: str, until_s: float, lost: Mapping[str, int]) -> None:
    """Draw the times in which publishers got confirms, a lane each, around a fault at 0 s.

    The longest gap of a lane that lasts into the fault has its length beside it.

    Args:
        frame: DataFrame[publisher str; from_s, to_s float], a row for each time of service.
        fault: name of the fault that began at 0 s, in a few words.
        until_s: end of the fault, in seconds.
        lost: number of messages by publisher that were confirmed during the fault and lost.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"publisher", "from_s", "to_s"})
    lanes = list(dict.fromkeys(frame["publisher"]))
    end = max(frame["to_s"].max(), until_s)
    title = "when publishers got confirms"
    with style.figure(title=title, height_in=1.3 + LANE_IN * len(lanes)) as axes:
        axes.axvspan(0, until_s, color=style.GRID, linewidth=0)
        axes.text(until_s / 2, -0.75, fault, ha="center", va="bottom", color=style.INK)
        for place, lane in enumerate(lanes):
            rows = frame[frame["publisher"] == lane].sort_values("from_s")
            times = list(zip(rows["from_s"], rows["to_s"], strict=True))
            for begin, until in times:
                _draw_service(axes, place, begin, until, FATES[EACH_ONCE])
                if lost.get(lane) and max(begin, 0) < min(until, until_s):
                    _draw_service(axes, place, max(begin, 0), min(until, until_s), FATES[LOST])
            if lost.get(lane):
                words, colour = f"{lost[lane]} confirmed and lost", style.DARK_VERMILLION
                axes.text(until_s, place - 0.29, words, ha="right", va="bottom", color=colour)
            gaps = [(quiet, back) for (_, quiet), (back, _) in pairwise(times)]
            for quiet, back in gaps:
                axes.plot([quiet, back], [place, place], color=style.INK, linewidth=1, marker="|")
            if by_fault := [gap for gap in gaps if gap[1] > 0]:
                _name_gap(axes, place, *max(by_fault, key=lambda gap: gap[1] - gap[0]))
        axes.set_yticks(range(len(lanes)), lanes)
        axes.set(ylim=(len(lanes) - 0.5, -0.75), xlim=(-BEFORE_S, end + 0.02 * (end + BEFORE_S)))
        axes.set_xlabel("time since the fault began [s]")
        axes.grid(axis="y", visible=False)


def _draw_service(axes: "Axes", place: int, begin: float, until: float, role: style.Role) -> None:
    axes.barh(
        place, until - begin, left=begin, height=0.5, facecolor=role.colour if not role.hatch else
        style.PAPER, edgecolor=role.colour, hatch=role.hatch, linewidth=0.8,
    )  # fmt: skip


def _name_gap(axes: "Axes", place: int, quiet: float, back: float) -> None:
    length_s = back - quiet
    words = f"{length_s:.1f} s" if length_s >= 1 else f"{1000 * length_s:.0f} ms"
    axes.text(quiet, place - 0.29, f"none for {words}", va="bottom", color=style.INK)


def _draw_cell(axes: "Axes", place: tuple[int, int], lost: int, duplicated: int) -> None:
    fate = LOST if lost else TWICE if duplicated else EACH_ONCE
    words = [f"{lost} lost"] * (lost > 0) + [f"{duplicated} twice"] * (duplicated > 0)
    grid.draw_cell(axes, place, "\n".join(words) or EACH_ONCE, FATES[fate].area())
