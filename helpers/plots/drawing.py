"""Draw the live topology: exchanges, bindings, queues and consumers."""

from collections.abc import Iterable, Iterator, Mapping
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


def topology(
    live: "Topology", *, published: str = "", arrived: Mapping[str, int] | None = None
) -> None:
    """Draw the exchanges, binding keys, queues and consumers that there are at this moment.

    An exchange without bindings is left out; a queue without bindings hangs on the default
    exchange. A dashed arrow leads to an alternate exchange. A fanout exchange compares no binding
    keys, so none is shown.

    Args:
        live: result of ``topology.live()``.
        published: one or two lines on the messages sent to the first exchange; "" for none.
        arrived: messages in each queue, drawn in place of its consumers; a dotted arrow leads to
            a queue that got none. None draws the consumers.

    Raises:
        UsageError: the vhost has no queues, or ``arrived`` lacks one.
    """
    if live.queues.empty:
        raise UsageError("there is nothing to draw: the scratch vhost has no queues")
    plan = _plan(live, published, arrived)
    if missing := set(plan.queue_rows) - set(plan.queue_rows if arrived is None else arrived):
        raise UsageError(f"arrived lacks the queues {', '.join(sorted(missing))}")
    last = "consumers" if arrived is None else "messages that arrived"
    title = f"live topology: exchanges, bindings, queues, {last}"
    with style.figure(title=title, height_in=0.8 + plan.rows * ROW_IN) as axes:
        axes.set(xlim=(-0.003, 1.003), ylim=(plan.rows - 0.4, -1.4))
        axes.axis("off")
        plan.draw(axes)


@dataclass
class _Plan:
    """Places in the drawing: a column each for exchanges, queues and the last; rows downwards."""

    bindings: list[tuple[str, str, str]]  # exchange, queue, binding key as shown
    detours: list[tuple[str, str, str]]  # exchange, next exchange, label
    consumers: dict[str, list[str]]  # consumer tags by queue
    exchange_types: dict[str, str]
    exchange_rows: dict[str, float]
    queue_rows: dict[str, float]
    rows: float
    published: str
    arrived: Mapping[str, int] | None  # messages by queue

    def draw(self, axes: "Axes") -> None:
        """Draw boxes and arrows; x from 0 to 1 is the figure's width."""
        exchange_x = self._draw_published(axes) if self.published else 0
        exchange_w = _width([*self.exchange_rows, *self.exchange_types.values()])
        last_x, queue_w = self._draw_last(axes), _width(self.queue_rows)
        gap = 0.1 if self.arrived is None else 0.03
        queue_x, exchange_end = last_x - gap - queue_w, exchange_x + exchange_w
        _head(axes, exchange_x, exchange_w, "exchange")
        if longest := max(len(key) for _, _, key in self.bindings):
            _head(axes, exchange_end, queue_x - exchange_end, "binding key")
        _head(axes, queue_x, queue_w, "queue")
        for source, target, label in self.detours:
            start, end = self.exchange_rows[source], self.exchange_rows[target]
            _detour(axes, exchange_x + exchange_w / 2, start, end, label)
        key_x = queue_x - 0.03 - longest * CHAR
        for number, (exchange, row) in enumerate(self.exchange_rows.items(), 1):
            trunk = exchange_end + 0.03 * number
            for queue, key, end in self._arrows(exchange):
                dry = self.arrived is not None and not self.arrived[queue]
                _elbow(axes, (exchange_end, row), trunk, (queue_x, end), dry=dry)
                look = _mono(8, style.DARK_VERMILLION) | {"weight": "bold"} if dry else _mono(8)
                axes.text(key_x, end - 0.07, key, va="bottom", **look)
            text = f"{_short(exchange)}\n{self.exchange_types[exchange]}"
            _box(axes, text, EXCHANGE_FILL, x=exchange_x, width=exchange_w, row=row, rows=1.5)
        for queue, row in self.queue_rows.items():
            bound = sum(to == queue for _, to, _ in self.bindings)
            text, rows = _short(queue), bound - 0.2
            for end in _spread(row, len(self.consumers[queue])) if self.arrived is None else []:
                _elbow(axes, (queue_x + queue_w, row), last_x - 0.06, (last_x, end))
            _box(axes, text, QUEUE_FILL, x=queue_x, width=queue_w, row=row, rows=rows)

    def _draw_published(self, axes: "Axes") -> float:
        """Draw the messages on their way to the first exchange; return where it begins."""
        row, width = next(iter(self.exchange_rows.values())), _width(self.published.split("\n"))
        _head(axes, 0, width, "published")
        _box(axes, self.published, CONSUMER_FILL, x=0, width=width, row=row, rows=1.5)
        _arrow(axes, (width, row), (width + 0.04, row), "-")
        return width + 0.04

    def _draw_last(self, axes: "Axes") -> float:
        """Draw the consumers, or the messages that arrived; return where the column begins."""
        if self.arrived is not None:
            words = {queue: _counted(self.arrived[queue]) for queue in self.queue_rows}
            width = _width(words.values())
            _head(axes, 1 - width, width, "arrived")
            for queue, row in self.queue_rows.items():
                ink = style.DARK_GREEN if self.arrived[queue] else style.DARK_VERMILLION
                look = _mono(8, ink) | {"weight": "bold"}
                axes.text(1, row, words[queue], ha="right", va="center", **look)
            return 1 - width
        width = _width([NO_CONSUMER, *(t for tags in self.consumers.values() for t in tags)])
        _head(axes, 1 - width, width, "consumer")
        for queue, row in self.queue_rows.items():
            tags = self.consumers[queue]
            for tag, place in zip(tags, _spread(row, len(tags)), strict=True):
                _box(axes, _short(tag), CONSUMER_FILL, x=1 - width, width=width, row=place)
            if not tags:
                axes.text(1 - width, row, NO_CONSUMER, va="center", **_mono(8, style.MUTED))
        return 1 - width

    def _arrows(self, exchange: str) -> Iterator[tuple[str, str, float]]:
        """Yield the queues and keys bound to an exchange, and the rows of their arrows' ends."""
        for queue, row in self.queue_rows.items():
            bound = [(source, key) for source, to, key in self.bindings if to == queue]
            for (source, key), end in zip(bound, _spread(row, len(bound)), strict=True):
                if source == exchange:
                    yield queue, key, end


def _plan(live: "Topology", published: str, arrived: Mapping[str, int] | None) -> _Plan:
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
    return _Plan(
        bindings, detours, consumers, shown_types, exchange_rows, queue_rows, height, published,
        arrived,
    )  # fmt: skip


def _bindings(live: "Topology") -> list[tuple[str, str, str]]:
    """Return exchange, queue and key of each arrow, in the order of the queues' names."""
    types = dict(zip(live.exchanges["name"], live.exchanges["type"], strict=True))
    shown = [
        (row.source, row.destination, "" if types.get(row.source) == "fanout" else _key(row))
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
        (row.source, row.destination, _key(row))
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


def _key(binding: Any) -> str:
    parts = [f"{name}={value}" for name, value in (binding.arguments or {}).items()]
    key = [binding.routing_key] if binding.routing_key else []
    return _short(", ".join(key + parts) or "(empty)")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _counted(messages: int) -> str:
    return f"{messages} message{'' if messages == 1 else 's'}"


def _width(names: Iterable[str]) -> float:
    return CHAR * max(len(_short(name)) for name in names) + 0.025


def _spread(row: float, count: int) -> list[float]:
    """Return ``count`` rows below each other, with ``row`` in the middle."""
    return [row + number - (count - 1) / 2 for number in range(count)]


def _mono(size: float, colour: str = style.INK) -> dict[str, Any]:
    return {"family": "monospace", "fontsize": size, "color": colour}


def _head(axes: "Axes", x: float, width: float, text: str) -> None:
    axes.text(x + width / 2, -1.1, text, ha="center", va="center", color=style.MUTED)


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
    axes: "Axes",
    start: tuple[float, float],
    trunk: float,
    end: tuple[float, float],
    *,
    dry: bool = False,
) -> None:
    """Draw an arrow that goes sideways, along a trunk, and sideways again."""
    lost = style.ROLES["lost"]
    colour, line = (lost.colour, lost.line) if dry else (style.MUTED, "-")
    bend = [start, (trunk, start[1]), (trunk, end[1])]
    zorder = 0.5 if dry else 1
    axes.plot(*zip(*bend, strict=True), color=colour, linestyle=line, linewidth=0.9, zorder=zorder)
    _arrow(axes, (trunk, end[1]), end, line, colour)


def _detour(axes: "Axes", x: float, start: float, end: float, label: str) -> None:
    reach = 0.75 if end > start else -0.75
    _arrow(axes, (x, start + reach), (x, end - reach), "--")
    axes.text(x + 0.01, (start + end) / 2, label, va="center", **_mono(7, style.MUTED))


def _arrow(
    axes: "Axes",
    start: tuple[float, float],
    end: tuple[float, float],
    line: str,
    colour: str = style.MUTED,
) -> None:
    look = {"arrowstyle": "-|>", "linestyle": line, "color": colour, "linewidth": 0.9,
            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 8}  # fmt: skip
    axes.annotate("", xy=end, xytext=start, arrowprops=look, zorder=1)
