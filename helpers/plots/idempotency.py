"""Draw the figures about idempotent handlers: a race, and techniques under faults."""

from typing import TYPE_CHECKING

from helpers.errors import UsageError
from helpers.plots import frames, grid, style

if TYPE_CHECKING:
    import pandas as pd

ROW_IN = 0.42  # height of a row of the grid
LANE_IN = 0.75  # height of a consumer's lane
RIGHT, TOO_MUCH, TOO_LITTLE = "right", "too much: duplicated", "too little: lost"

# fate of the money: role
FATES = {
    RIGHT: style.ROLES["acked"],
    TOO_MUCH: style.ROLES["duplicated"],
    TOO_LITTLE: style.ROLES["lost"],
}

# kind of step: colour and marker
STEPS = {
    "delivered": (style.ROLES["unacked"].colour, style.ROLES["unacked"].marker),
    "checked": (style.INK, "s"),
    "charged": (style.ROLES["duplicated"].colour, style.ROLES["duplicated"].marker),
    "acked": (style.ROLES["acked"].colour, style.ROLES["acked"].marker),
    "ack failed": (style.ROLES["lost"].colour, style.ROLES["lost"].marker),
}


def race(steps: "pd.DataFrame") -> None:
    """Draw the steps of consumers in their order, a lane per consumer.

    Args:
        steps: DataFrame[consumer str, step str], in the order in which the steps happened; a step
            is "delivered", "checked", "charged", "acked" or "ack failed".

    Raises:
        UsageError: a column is missing, no rows, or an unknown step.
    """
    frames.check(steps, {"consumer", "step"})
    unknown = set(steps["step"]) - set(STEPS)
    if unknown:
        raise UsageError(f"step must be one of {', '.join(STEPS)}, not {sorted(unknown)!r}")
    lanes = sorted(steps["consumer"].unique())
    title = "what two deliveries of one payment led to, in order"
    with style.figure(title=title, height_in=1.0 + LANE_IN * len(lanes)) as axes:
        pairs = zip(steps["consumer"], steps["step"], strict=True)
        places = [(n, lanes.index(consumer), step) for n, (consumer, step) in enumerate(pairs, 1)]
        for lane in range(len(lanes)):
            numbers = [n for n, row, _ in places if row == lane]
            axes.plot(numbers, [lane] * len(numbers), color=style.MUTED, linewidth=1, zorder=1)
        for number, lane, step in places:
            colour, marker = STEPS[step]
            axes.plot(number, lane, marker, color=colour, markersize=8, zorder=2)
            axes.annotate(
                step, (number, lane), xytext=(0, 9), textcoords="offset points", ha="center",
                color=style.INK,
            )  # fmt: skip
        axes.set_yticks(range(len(lanes)), lanes)
        axes.set_xticks(range(1, len(places) + 1))
        axes.set(xlim=(0.5, len(places) + 0.5), ylim=(len(lanes) - 0.6, -0.7))
        axes.grid(visible=False)
        axes.set_xlabel("step")


def techniques(charged: "pd.DataFrame", *, owed_cents: int) -> None:
    """Draw the cents charged per technique and fault: amount inside, fate as colour and hatch.

    Args:
        charged: DataFrame of the cents charged (int); a row per technique, a column per fault.
        owed_cents: right amount of each cell, in cents.

    Raises:
        UsageError: the frame is empty.
    """
    frames.check(charged, ())
    height_in = 1.5 + ROW_IN * len(charged)
    title = f"cents charged where {owed_cents} are owed, by technique and fault"
    with style.figure(title=title, height_in=height_in) as axes:
        for row, (_, cells) in enumerate(charged.iterrows()):
            for column, cents in enumerate(cells):
                fate = FATES[_fate(int(cents), owed_cents)]
                grid.draw_cell(axes, (column, row), str(int(cents)), fate.area())
        faults = [str(fault).replace(", ", ",\n") for fault in charged.columns]
        grid.set_up(axes, faults, list(charged.index))
        grid.explain(axes, {name: role.area() for name, role in FATES.items()})


def _fate(cents: int, owed_cents: int) -> str:
    if cents == owed_cents:
        return RIGHT
    return TOO_MUCH if cents > owed_cents else TOO_LITTLE
