"""Record publishes, confirms, deliveries, acks and effects as events; reduce them to a verdict.

The words follow the total-queue checker of Jepsen (https://github.com/jepsen-io/jepsen,
``jepsen.checker/total-queue``): a message is *lost* when its publish was acknowledged and it was
never worked on, *unexpected* when it was worked on and never published, *duplicated* when it was
worked on more than once, and *recovered* when its publish was not acknowledged and it was worked on
all the same. *Reordered* is added: worked on after a message that was published later.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helpers.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

KINDS = (
    "publish", "confirm", "nacked", "return", "deliver", "begin", "effect", "key", "skip",
    "ack", "nack", "reject", "dead-letter", "crash", "cut", "fail",
)  # fmt: skip

WORDS = {"publish": "published", "confirm": "confirmed", "return": "returned", "nack": "nacked",
         "nacked": "refused by the broker", "ack": "acked", "reject": "rejected",
         "dead-letter": "dead-lettered", "begin": "begun", "key": "key committed",
         "skip": "skipped"}  # fmt: skip


Row = tuple[float, object, bool]


@dataclass(frozen=True)
class Event:
    """Something that happened to one message; ``t_s`` counts from the start of the history."""

    t_s: float
    kind: str
    message: str
    actor: str
    redelivered: bool
    detail: str


@dataclass(frozen=True)
class Summary:
    """What became of the messages: ids in the order of publishing, and two counts."""

    published: int
    worked_on: int
    lost: tuple[str, ...] = field(repr=False)
    duplicated: tuple[str, ...] = field(repr=False)
    reordered: tuple[str, ...] = field(repr=False)
    unexpected: tuple[str, ...] = field(repr=False)
    recovered: tuple[str, ...] = field(repr=False)

    def __repr__(self) -> str:
        bad = ("lost", "duplicated", "reordered", "unexpected", "recovered")
        counts = ", ".join(f"{len(getattr(self, name))} {name}" for name in bad)
        return f"{self.published} published, {self.worked_on} worked on: {counts}"


class History:
    """A record of events; threads may write to it at the same time."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._rows: dict[tuple[str, str, str], list[Row]] = {}
        self._shared: list[tuple[tuple[str, str, str], list[Row]]] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        counts: Counter[str] = Counter()
        for (kind, _, _), rows in self._lists():
            counts[kind] += len(rows)
        return "History(" + ", ".join(f"{n} {kind}" for kind, n in counts.items() if n) + ")"

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self._lists())

    def now_s(self) -> float:
        """Return the seconds since the history began, as its events are stamped."""
        return time.perf_counter() - self._start

    def record(
        self,
        kind: str,
        message: object,
        *,
        actor: str = "",
        redelivered: bool = False,
        detail: str = "",
    ) -> None:
        """Add one event, stamped now.

        Args:
            kind: one of ``KINDS``.
            message: the message's id.
            actor: the name of the consumer or publisher.
            redelivered: for deliveries, the broker's flag.
            detail: anything worth showing, such as a queue's name.

        Raises:
            UsageError: unknown kind.
        """
        self.writer(kind, actor=actor, detail=detail)(message, redelivered)

    def writer(self, kind: str, *, actor: str = "", detail: str = "") -> Callable[..., None]:
        """Return a function that adds events of one kind, for code whose speed is measured.

        Args:
            kind, actor, detail: as for ``record``; the same for every event.

        Returns:
            A function of the message's id and the ``redelivered`` flag (False if left out) that
            stamps the event.

        Raises:
            UsageError: unknown kind.
        """
        append, clock = self.rows(kind, actor=actor, detail=detail).append, time.perf_counter

        def write(message: object, redelivered: bool = False) -> None:
            append((clock(), message, redelivered))

        return write

    def rows(self, kind: str, *, actor: str = "", detail: str = "") -> list[Row]:
        """Return the list to which `writer` and `record` add the events of one kind.

        Args:
            kind, actor, detail: as for ``record``; the same for every event.

        Returns:
            A list to append to, which needs no lock: (``time.perf_counter()``, message's id,
            ``redelivered`` flag).

        Raises:
            UsageError: unknown kind.
        """
        key = _key(kind, actor, detail)
        with self._lock:
            return self._rows.setdefault(key, [])

    def share(self, kind: str, rows: list[Row], *, actor: str) -> None:
        """Count the rows of a list as events of one kind; its owner goes on appending.

        This makes recording an event as cheap as one append that the owner needs anyway.

        Args:
            kind, actor: as for ``record``.
            rows: as `rows` returns it.

        Raises:
            UsageError: unknown kind.
        """
        key = _key(kind, actor, "")
        with self._lock:
            self._shared.append((key, rows))

    def _lists(self) -> list[tuple[tuple[str, str, str], list[Row]]]:
        with self._lock:
            return [*self._rows.items(), *self._shared]

    def events(self, *kinds: str, message: object | None = None) -> list[Event]:
        """Return the events in order of time, only of these kinds and this message if given."""
        wanted = None if message is None else str(message)
        found = [
            Event(t - self._start, kind, str(name), actor, flag and kind == "deliver", detail)
            for (kind, actor, detail), rows in self._lists()
            if not kinds or kind in kinds
            for t, name, flag in tuple(rows)
            if wanted is None or str(name) == wanted
        ]
        return sorted(found, key=lambda event: event.t_s)

    def frame(self) -> "pd.DataFrame":
        """Return all events.

        Returns:
            DataFrame[t_s float, seconds since the history began; kind, message, actor str;
            redelivered bool; detail str], in order of time.
        """
        import pandas as pd

        columns = ["t_s", "kind", "message", "actor", "redelivered", "detail"]
        return pd.DataFrame([vars(event) for event in self.events()], columns=columns)

    def summary(self, *, remaining: Iterable[object] = ()) -> Summary:
        """Reduce the history to what was lost, duplicated, reordered, unexpected and recovered.

        A message counts as worked on by its ``effect`` events or, when the history has none at
        all, by its ``ack`` events. Its publish counts as acknowledged by a ``confirm`` or, when
        the history has no confirms at all, by ``publish`` itself.

        Args:
            remaining: ids of messages known to be still in a queue: these are not lost.
        """
        events = self.events()
        kinds = {event.kind for event in events}
        work = "effect" if "effect" in kinds else "ack"
        sure = "confirm" if "confirm" in kinds else "publish"
        published = list(dict.fromkeys(e.message for e in events if e.kind == "publish"))
        acknowledged = {e.message for e in events if e.kind == sure}
        worked = [e.message for e in events if e.kind == work]
        times = Counter(worked)
        kept = {str(message) for message in remaining}
        return Summary(
            published=len(published),
            worked_on=len(times),
            lost=tuple(
                m for m in published if m in acknowledged and m not in times and m not in kept
            ),
            duplicated=tuple(m for m in published if times[m] > 1),
            reordered=_overtaken(published, worked),
            unexpected=tuple(m for m in times if m not in set(published)),
            recovered=tuple(m for m in published if m in times and m not in acknowledged),
        )

    def story(self, message: object) -> str:
        """Return the events of one message as a short sequence."""
        seen: dict[str, int] = defaultdict(int)
        steps = []
        for event in self.events(message=message):
            step = WORDS.get(event.kind, event.kind)
            if event.kind == "deliver":
                step = f"delivered to {event.actor}" if event.actor else "delivered"
            if event.kind in ("crash", "cut"):
                what = "killed" if event.kind == "crash" else "cut off"
                step = f"{event.actor or 'consumer'} {what} {event.detail}".rstrip()
            elif event.kind == "fail":
                step = event.detail
            elif event.detail:
                step += f" ({event.detail})"
            seen[event.kind] += 1
            again = seen[event.kind] > 1 and event.kind in ("deliver", "effect", "publish")
            steps.append(f"{step} again" if again else step)
        return f"message {message}: " + (" → ".join(steps) or "never seen")


def _key(kind: str, actor: str, detail: str) -> tuple[str, str, str]:
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is not an event: use one of {', '.join(KINDS)}")
    return kind, actor, detail


def _overtaken(published: list[str], worked: list[str]) -> tuple[str, ...]:
    """Return the messages first worked on after one that was published later."""
    place = {message: index for index, message in enumerate(published)}
    late, newest = [], -1
    for message in dict.fromkeys(worked):
        index = place.get(message)
        if index is None:
            continue
        if index < newest:
            late.append(message)
        newest = max(newest, index)
    return tuple(sorted(late, key=place.__getitem__))
