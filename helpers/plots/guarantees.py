"""Draw the figures about delivery guarantees: losses, a killed broker, failover, rates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ROW_IN = 0.5  # height of a row of the grid
BAR_IN = 0.38  # height of a bar or of a pair of markers
EACH_ONCE, LOST, TWICE = "each once", "lost", "twice"

# fate of the messages: role
FATES = {
    EACH_ONCE: style.ROLES["acked"],
    LOST: style.ROLES["lost"],
    TWICE: style.ROLES["duplicated"],
}

# hop whose rate is drawn: role
HOPS = {"publish": style.ROLES["unacked"], "consume": style.ROLES["acked"]}


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
        grid.set_up(axes, [str(name).replace(", ", ",\n") for name in faults], designs)
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


def guarantee_rates(frame: "pd.DataFrame") -> None:
    """Draw the rates of publishing and of consuming for each guarantee, a panel per distance.

    Args:
        frame: DataFrame[guarantee str; round_trip_ms, publish, consume float], rates in messages
            per second.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"guarantee", "round_trip_ms", *HOPS})
    guarantees = list(dict.fromkeys(frame["guarantee"]))
    distances = sorted(frame["round_trip_ms"].unique())
    with style.figure(
        title="messages per second, by guarantee and distance to the broker",
        columns=len(distances),
        height_in=1.5 + BAR_IN * len(guarantees),
    ) as panels:
        for axes, distance in zip(panels, distances, strict=True):
            part = frame[frame["round_trip_ms"] == distance]
            rows = [guarantees.index(name) for name in part["guarantee"]]
            for (hop, role), shift in zip(HOPS.items(), (-0.13, 0.13), strict=True):
                axes.plot(
                    part[hop], [row + shift for row in rows], role.marker, color=role.colour,
                    markersize=7, label=hop,
                )  # fmt: skip
            axes.set_xscale("log")
            axes.set(ylim=(len(guarantees) - 0.5, -0.5), xlabel="rate [messages/s]")
            axes.set_title("loopback" if not distance else f"{distance:g} ms there and back")
        panels[0].set_yticks(range(len(guarantees)), guarantees)
        low, high = frame[list(HOPS)].min(axis=None), frame[list(HOPS)].max(axis=None)
        for axes in panels:
            axes.set_xlim(low / 2, high * 2)
        panels[0].figure.legend(
            *panels[0].get_legend_handles_labels(), loc="outside lower right", ncols=2
        )


def service(frame: "pd.DataFrame", *, fault: str, until_s: float, lost: Mapping[str, int]) -> None:
    """Draw the times in which publishers got confirms, a lane each, around a fault at 0 s.

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
    end = frame["to_s"].max()
    title = "when publishers got confirms"
    with style.figure(title=title, height_in=1.3 + 0.45 * len(lanes)) as axes:
        axes.axvspan(0, until_s, color=style.GRID, linewidth=0)
        axes.text(until_s / 2, -0.62, fault, ha="center", va="bottom", color=style.INK)
        for place, lane in enumerate(lanes):
            rows = frame[frame["publisher"] == lane].sort_values("from_s")
            times = list(zip(rows["from_s"], rows["to_s"], strict=True))
            for begin, until in times:
                _draw_service(axes, place, begin, until, FATES[EACH_ONCE])
                if lost.get(lane) and max(begin, 0) < min(until, until_s):
                    _draw_service(axes, place, max(begin, 0), min(until, until_s), FATES[LOST])
            if lost.get(lane):
                _write(axes, until_s / 2, place - 0.37, f"{lost[lane]} confirmed and lost")
            for (_, quiet), (back, _) in zip(times, [*times[1:], (end, end)], strict=True):
                if back - quiet > end / 8:
                    _write(axes, (quiet + back) / 2, place, f"none for {back - quiet:.0f} s")
        axes.set_yticks(range(len(lanes)), lanes)
        axes.set(ylim=(len(lanes) - 0.5, -0.65), xlim=(frame["from_s"].min(), end))
        axes.set_xlabel("time [s]")
        axes.grid(axis="y", visible=False)


def _draw_service(axes: "Axes", place: int, begin: float, until: float, role: style.Role) -> None:
    axes.barh(
        place, until - begin, left=begin, height=0.5, facecolor=role.colour if not role.hatch else
        style.PAPER, edgecolor=role.colour, hatch=role.hatch, linewidth=0.8,
    )  # fmt: skip


def _write(axes: "Axes", x: float, y: float, text: str) -> None:
    axes.text(x, y, text, ha="center", va="center", color=FATES[LOST].colour)


def _draw_cell(axes: "Axes", place: tuple[int, int], lost: int, duplicated: int) -> None:
    fate = LOST if lost else TWICE if duplicated else EACH_ONCE
    words = [f"{lost} lost"] * (lost > 0) + [f"{duplicated} twice"] * (duplicated > 0)
    grid.draw_cell(axes, place, "\n".join(words) or EACH_ONCE, FATES[fate].area())
