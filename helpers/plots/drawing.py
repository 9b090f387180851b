"""Draw the live topology: exchanges, bindings, queues and consumers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.errors import UsageError
from helpers.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from helpers.topology import Topology

ROW_IN = 0.26  # height of a row
CHAR = 0.0112  # width of a character of 8 points, as a part of the figure's width
LONGEST = 24  # characters of a name; a longer one is shortened
DEFAULT_EXCHANGE, NO_CONSUMER = "(default)", "no consumer"
EXCHANGE_FILL, QUEUE_FILL, CONSUMER_FILL = style.LIGHT_GREY, style.PALE_SKY_BLUE, style.PAPER


def topology(live: "Topology") -> None:
    """Draw the exchanges, binding keys, queues and consumers that there are at this moment.

    An exchange without bindings is left out; a queue without bindings hangs on the default
    exchange. A dashed arrow leads to an alternate exchange.

    Args:
        live: result of ``topology.live()``.

    Raises:
        UsageError: the vhost has no queues.
    """
    if live.queues.empty:
        raise UsageError("there is nothing to draw: the scratch vhost has no queues")
    plan = _plan(live)
    title = "live topology: exchanges, bindings, queues, consumers"
    with style.figure(title=title, height_in=0.8 + plan.rows * ROW_IN) as axes:
        axes.set(xlim=(-0.003, 1.003), ylim=(plan.rows - 0.4, -1.4))
        axes.axis("off")
        plan.draw(axes)


@dataclass
class _Plan:
    """Places in the drawing: a column each for exchanges, queues and consumers; rows downwards."""

    bindings: list[tuple[str, str, str]]  # exchange, queue, binding key as shown
    detours: list[tuple[str, str, str]]  # exchange, next exchange, label
    consumers: dict[str, list[str]]  # consumer tags by queue
    exchange_types: dict[str, str]
    exchange_rows: dict[str, float]
    queue_rows: dict[str, float]
    rows: float

    def draw(self, axes: "Axes") -> None:
        """Draw boxes and arrows; x from 0 to 1 is the figure's width."""
        exchange_w = _width([*self.exchange_rows, *self.exchange_types.values()])
        queue_w = _width(self.queue_rows)
        consumer_w = _width([NO_CONSUMER, *(t for tags in self.consumers.values() for t in tags)])
        consumer_x = 1 - consumer_w
        queue_x = consumer_x - 0.1 - queue_w
        for x, width, head in (
            (0, exchange_w, "exchange"),
            (exchange_w, queue_x - exchange_w, "binding key"),
            (queue_x, queue_w, "queue"),
            (consumer_x, consumer_w, "consumer"),
        ):
            axes.text(x + width / 2, -1.1, head, ha="center", va="center", color=style.MUTED)
        for source, target, label in self.detours:
            start, end = self.exchange_rows[source], self.exchange_rows[target]
            _detour(axes, exchange_w / 2, start, end, label)
        for number, (exchange, row) in enumerate(self.exchange_rows.items(), 1):
            for key, end in self._arrows(exchange):
                _elbow(axes, (exchange_w, row), exchange_w + 0.03 * number, (queue_x, end))
                axes.text(queue_x - 0.03, end - 0.07, key, ha="right", va="bottom", **_mono(7.5))
            text = f"{_short(exchange)}\n{self.exchange_types[exchange]}"
            _box(axes, text, EXCHANGE_FILL, x=0, width=exchange_w, row=row, rows=1.5)
        for queue, row in self.queue_rows.items():
            bound = sum(to == queue for _, to, _ in self.bindings)
            tags, right = self.consumers[queue], queue_x + queue_w
            for tag, end in zip(tags, _spread(row, len(tags)), strict=True):
                _elbow(axes, (right, row), right + 0.04, (consumer_x, end))
                _box(axes, _short(tag), CONSUMER_FILL, x=consumer_x, width=consumer_w, row=end)
            if not tags:
                axes.text(consumer_x, row, NO_CONSUMER, va="center", **_mono(8, style.MUTED))
            text, rows = _short(queue), bound - 0.2
            _box(axes, text, QUEUE_FILL, x=queue_x, width=queue_w, row=row, rows=rows)

    def _arrows(self, exchange: str) -> Iterator[tuple[str, float]]:
        """Yield the keys bound to an exchange and the rows where their arrows meet a queue."""
        for queue, row in self.queue_rows.items():
            bound = [(source, key) for source, to, key in self.bindings if to == queue]
            for (source, key), end in zip(bound, _spread(row, len(bound)), strict=True):
                if source == exchange:
                    yield key, end


def _plan(live: "Topology") -> _Plan:
    bindings, detours = _bindings(live), _detours(live)
    order = list(dict.fromkeys(queue for _, queue, _ in bindings))
    consumers = {queue: _tags(live, queue) for queue in order}
    queue_rows: dict[str, float] = {}
    free = 0.0
    for queue in order:
        rows = max(1, len(consumers[queue]), sum(to == queue for _, to, _ in bindings))
        queue_rows[queue] = free + (rows - 1) / 2
        free += rows + 0.4
    bottom = free
    types = dict(zip(live.exchanges["name"], live.exchanges["type"], strict=True))
    names = dict.fromkeys(
        [start for start, _, _ in detours]
        + [source for source, _, _ in bindings]
        + [end for _, end, _ in detours]
    )
    exchange_rows: dict[str, float] = {}
    free = 0.0
    for name in names:
        ends = [queue_rows[queue] for source, queue, _ in bindings if source == name]
        exchange_rows[name] = max(free, sum(ends) / len(ends) if ends else 0)
        free = exchange_rows[name] + 2.2
    shown_types = {name: types.get(name, "direct") for name in names}
    height = max(bottom, free - 1.0)
    return _Plan(bindings, detours, consumers, shown_types, exchange_rows, queue_rows, height)


def _bindings(live: "Topology") -> list[tuple[str, str, str]]:
    """Return exchange, queue and key of each arrow, in the order of the queues' names."""
    shown = [
        (row.source, row.destination, _key(row.routing_key, row.arguments))
        for row in live.bindings.itertuples()
        if row.destination_type == "queue" and row.source
    ]
    bound = {queue for _, queue, _ in shown}
    shown += [(DEFAULT_EXCHANGE, name, name) for name in live.queues["name"] if name not in bound]
    first = {start for start, _, _ in _detours(live)}  # so that detours lead downwards
    order = [*sorted(live.exchanges["name"], key=lambda name: name not in first), DEFAULT_EXCHANGE]
    return sorted(shown, key=lambda binding: (order.index(binding[0]), *binding[1:]))


def _detours(live: "Topology") -> list[tuple[str, str, str]]:
    """Return each exchange that passes messages on, the next exchange, and the arrow's label."""
    bound = [
        (row.source, row.destination, _key(row.routing_key, row.arguments))
        for row in live.bindings.itertuples()
        if row.destination_type == "exchange"
    ]
    names = set(live.exchanges["name"])
    return bound + [
        (row.name, row.alternate, "alternate")
        for row in live.exchanges.itertuples()
        if row.alternate in names
    ]


def _tags(live: "Topology", queue: str) -> list[str]:
    consumers = live.consumers
    return sorted(consumers.loc[consumers["queue"] == queue, "consumer_tag"])


def _key(routing_key: str, arguments: dict[str, Any]) -> str:
    parts = [f"{name}={value}" for name, value in (arguments or {}).items()]
    return _short(", ".join(([routing_key] if routing_key else []) + parts) or "(empty)")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _width(names: Iterable[str]) -> float:
    return CHAR * max(len(_short(name)) for name in names) + 0.025


def _spread(row: float, count: int) -> list[float]:
    """Return ``count`` rows below each other, with ``row`` in the middle."""
    return [row + number - (count - 1) / 2 for number in range(count)]


def _mono(size: float, colour: str = style.INK) -> dict[str, Any]:
    return {"family": "monospace", "fontsize": size, "color": colour}


def _box(
    axes: "Axes", text: str, fill: str, *, x: float, width: float, row: float, rows: float = 0.8
) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(
        FancyBboxPatch(
            (x, row - rows / 2), width, rows, boxstyle="round,pad=0,rounding_size=0.01",
            mutation_aspect=20, facecolor=fill, edgecolor=style.MUTED, linewidth=0.8, zorder=3,
        )
    )  # fmt: skip
    axes.text(x + width / 2, row, text, ha="center", va="center", zorder=4, **_mono(8))


def _elbow(
    axes: "Axes", start: tuple[float, float], trunk: float, end: tuple[float, float]
) -> None:
    """Draw an arrow that goes sideways, along a trunk, and sideways again."""
    line = [start, (trunk, start[1]), (trunk, end[1])]
    axes.plot(*zip(*line, strict=True), color=style.MUTED, linewidth=0.9, zorder=1)
    _arrow(axes, (trunk, end[1]), end, "-")


def _detour(axes: "Axes", x: float, start: float, end: float, label: str) -> None:
    reach = 0.75 if end > start else -0.75
    _arrow(axes, (x, start + reach), (x, end - reach), "--")
    axes.text(x + 0.01, (start + end) / 2, label, va="center", **_mono(7, style.MUTED))


def _arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float], line: str) -> None:
    look = {"arrowstyle": "-|>", "linestyle": line, "color": style.MUTED, "linewidth": 0.9,
            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops=look, zorder=1)
