"""Draw the figures about event-driven architecture: latency, events seen, outage, two writes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LANE_IN = 0.4  # height of a lane
ROW_IN = 0.5  # height of a row of the grid

# way in which the services hear of a request: colour, marker and line
WAYS = {
    "calls": (style.ROLES["unacked"].colour, "^", "-"),
    "event": (style.ROLES["acked"].colour, "o", "--"),
}

# fate of a document and its event: name in the legend, words in the cell, role
FATES = {
    "both": ("saved and published", "", style.ROLES["acked"]),
    "neither": ("neither", "none", style.Role(style.MUTED, "", ":", "")),
    "lost": ("lost: saved, no event", "lost", style.ROLES["lost"]),
    "ghost": ("ghost: event, not saved", "ghost", style.Role(style.INK, "", "-", "||")),
    "twice": ("published twice", "twice", style.ROLES["duplicated"]),
}


def calls_and_events(frame: "pd.DataFrame") -> None:
    """Draw the latency of requests against the number of services, a dot for each request.

    Args:
        frame: DataFrame[way str, "calls" or "event"; services int; latency_ms float].

    Raises:
        UsageError: a column is missing, no rows, or an unknown way.
    """
    frames.check(frame, {"way", "services", "latency_ms"})
    unknown = set(frame["way"]) - set(WAYS)
    if unknown:
        raise UsageError(f"way must be one of {', '.join(WAYS)}, not {sorted(unknown)!r}")
    counts = sorted(frame["services"].unique())
    with style.figure(title="latency of a request, by the number of services") as axes:
        for way, of_way in frame.groupby("way"):
            colour, marker, line = WAYS[str(way)]
            axes.plot(
                of_way["services"], of_way["latency_ms"], marker, color=colour, alpha=0.55,
                markersize=4, markeredgewidth=0,
            )  # fmt: skip
            medians = of_way.groupby("services")["latency_ms"].median()
            axes.plot(medians.index, medians, line, color=colour, linewidth=1.5)
            style.label_line(axes, counts[-1], float(medians.iloc[-1]), str(way), colour)
        axes.set_xticks(counts)
        axes.set_xlim(0, counts[-1] * 1.12)
        axes.set_ylim(bottom=0)
        axes.set(xlabel="services that react", ylabel="latency [ms], line: median")


def seen_events(frame: "pd.DataFrame", *, published: int, newcomers_at: int) -> None:
    """Draw the events that each reader saw, a lane per reader in the order of the frame.

    Args:
        frame: DataFrame[reader str; event int, counted from 0], a row for each event seen.
        published: number of events published.
        newcomers_at: number of the first event after the newcomers came.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"reader", "event"})
    readers = list(dict.fromkeys(frame["reader"]))
    title = "events seen, by reader"
    with style.figure(title=title, height_in=1.1 + LANE_IN * len(readers)) as axes:
        for lane, reader in enumerate(readers):
            numbers = frame.loc[frame["reader"] == reader, "event"]
            _draw_lane(axes, numbers, lane)
            text = f"{numbers.nunique()} of {published}"
            axes.text(published * 1.02, lane, text, va="center", color=style.INK)
        axes.axvline(newcomers_at - 0.5, color=style.INK, linestyle="--", linewidth=1)
        axes.text(
            newcomers_at - 1.5, -0.75, "newcomers come", ha="right", va="center",
            color=style.INK,
        )  # fmt: skip
        _name_lanes(axes, readers)
        axes.set(xlim=(-1, published * 1.16), xlabel="event number")


def outage(frame: "pd.DataFrame", *, dead_s: tuple[float, float], who: str) -> None:
    """Draw the events that each service handled over time, and the time a service was dead.

    Args:
        frame: DataFrame[service str; t_s float, seconds since the first event].
        dead_s: times at which the service was killed and was back, in seconds.
        who: name of the service that was killed.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"service", "t_s"})
    services = sorted(frame["service"].unique())
    title = "events handled over time, by service"
    with style.figure(title=title, height_in=1.1 + LANE_IN * len(services)) as axes:
        lost = style.ROLES["lost"]
        axes.axvspan(*dead_s, facecolor=f"{lost.colour}22", linewidth=0)
        for moment_s in dead_s:
            axes.axvline(moment_s, color=lost.colour, linestyle=lost.line, linewidth=1.2)
        axes.text(
            sum(dead_s) / 2, -0.75, f"{who} is dead", ha="center", va="center", color=lost.colour
        )
        for lane, service in enumerate(services):
            _draw_lane(axes, frame.loc[frame["service"] == service, "t_s"], lane)
        _name_lanes(axes, services)
        axes.set_xlim(left=0)
        axes.set_xlabel("time [s]")


def two_writes(frame: "pd.DataFrame") -> None:
    """Draw the fate of each document and its event, a row per design.

    Args:
        frame: DataFrame[design str; document, saved, published int]: the number of times that
            each document was saved and its event published.

    Raises:
        UsageError: a column is missing or no rows.
    """
    frames.check(frame, {"design", "document", "saved", "published"})
    designs = list(dict.fromkeys(frame["design"]))
    documents = sorted(frame["document"].unique())
    title = "document in the database, event in the queue, by design"
    with style.figure(title=title, height_in=1.5 + ROW_IN * len(designs)) as axes:
        for row in frame.itertuples():
            place = (documents.index(row.document), designs.index(row.design))
            fate = _fate(int(row.saved), int(row.published))
            grid.draw_cell(
                axes, place, FATES[fate][1], _look(fate), size=(0.92, 0.8), box="round,pad=0.12",
                fontsize=7.5,
            )  # fmt: skip
        grid.set_up(axes, documents, designs)
        axes.set_xlabel("document")
        grid.explain(axes, {name: _look(fate) for fate, (name, _, _) in FATES.items()}, x=1.01)


def _fate(saved: int, published: int) -> str:
    if published > 1:
        return "twice"
    names = {(1, 1): "both", (0, 0): "neither", (1, 0): "lost", (0, 1): "ghost"}
    return names[min(saved, 1), published]


def _draw_lane(axes: "Axes", places: Any, lane: int) -> None:
    axes.plot(
        places, [lane] * len(places), "|", color=style.ROLES["acked"].colour, markersize=11,
        markeredgewidth=1.1,
    )  # fmt: skip


def _name_lanes(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [str(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -1.1)
    axes.grid(axis="y", visible=False)


def _look(fate: str) -> dict[str, Any]:
    _, _, role = FATES[fate]
    look = role.area("44") | {"linestyle": role.line}
    return look | {"facecolor": style.PAPER} if fate == "neither" else look
