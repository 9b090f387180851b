"""A learner's code on trial: it runs in processes of its own, and the judge decides when they die.

Every boundary that the code reaches (see ``hooks``) is told here and waits for an answer. What a
check concludes, it concludes from the broker and the store; boundaries only decide when something
happens, and tell the story afterwards.
"""

import itertools
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pika.exceptions import ChannelClosedByBroker

from helpers import broker
from helpers.errors import WaitTimeoutError
from helpers.history import History
from labs.judge.actors import Actor, Boundary, Company
from labs.judge.draining import NOT_FOUND, RESOURCE_LOCKED, everything
from labs.judge.errors import OutOfTimeError, UnusableError
from labs.judge.sandbox.limits import Limits

Order = Literal["go", "cut", "kill"] | threading.Event
# Where a process can die; the rest only informs.
CRASHABLE = (
    "delivery", "before effect", "after effect", "before commit", "after commit",
    "before ack", "after ack", "before nack", "after nack", "before reject", "after reject",
    "before publish", "before confirm", "after publish",
)  # fmt: skip
RECORDED = {
    "delivery": "deliver", "after ack": "ack", "after nack": "nack", "after reject": "reject",
    "before publish": "publish", "before confirm": "confirm", "before nacked publish": "nacked",
}  # fmt: skip


def go_on(actor: Actor, boundary: Boundary) -> Order:
    """Let everybody go on: what `Trial.direct` is when nobody has set it."""
    return "go"


@dataclass(frozen=True)
class Fault:
    """What happens at the ``point``-th boundary, 1, 2, 3, …, of the actors it is meant for."""

    point: int
    action: Literal["cut", "kill"]
    role: str = ""  # of this role only; "" is anybody


class Trial:
    """One submission, a scratch vhost, a store, and a record of everything that happened.

    Use as a context manager. ``channel`` is the judge's own, ``history`` has every event since the
    last `fresh`, ``boundaries`` every boundary, and ``direct`` may be set to a function that
    decides what happens at a boundary.
    """

    def __init__(
        self, submission: Path, *, modules: Sequence[str] = (), limits: Limits, hidden: bool = False
    ) -> None:
        """Prepare.

        Args:
            submission: the learner's file.
            modules: what it imports and what takes long.
            limits: what its processes may use.
            hidden: whether the cases are judged that a learner is not given.
        """
        self.submission, self.hidden = submission, hidden
        self.history = History()
        self.boundaries: list[Boundary] = []
        self.direct: Callable[[Actor, Boundary], Order] = go_on
        self.fault: Fault | None = None
        self.points = 0  # how many boundaries a fault could have struck since the last `fresh`
        self.channel: Any = None
        self._folder = tempfile.TemporaryDirectory(prefix="lab-")
        self.folder = Path(self._folder.name)
        self.deadline = time.monotonic() + limits.seconds
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        self._company = Company(submission, self.folder, modules, limits, self._arrived)
        self._store = self.folder / "store-0.db"

    def __enter__(self) -> Self:
        self._company.open()
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._company.close()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """AMQP URL of the scratch vhost, with a user who sees nothing else."""
        return broker.amqp_url()

    @property
    def store(self) -> str:
        """The SQLite file of this run."""
        return str(self._store)

    def fresh(self, *tables: str) -> Any:
        """Start over: nobody runs, the vhost is empty, the store has just these empty tables.

        Args:
            tables: like ``"charges (payment TEXT PRIMARY KEY, cents INTEGER)"``.

        Returns:
            The judge's channel, new.
        """
        self.end()
        self.channel = broker.clean_channel()
        self._store = self.folder / f"store-{next(self._numbers)}.db"
        with closing(sqlite3.connect(self._store)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            for table in tables:
                db.execute(f"CREATE TABLE {table}")
            db.commit()
        with self._changed:
            self.history, self.boundaries, self.points = History(), [], 0
        return self.channel

    def start(self, role: str, *arguments: Any, name: str = "", restarts: int = 0) -> Actor:
        """Run one of the learner's functions in a process of its own.

        Args:
            role: the function's name.
            arguments: its arguments, as JSON can hold them.
            name: who it is in stories; the role when left out.
            restarts: how often it is started again after it ends, as a supervisor would, until
                `end`; one that returned is not.
        """
        return self._company.start(role, arguments, name or role, restarts)

    def end(self) -> None:
        """Kill everybody who runs, at once, and wait until they are gone."""
        self._company.end_all()

    @property
    def actors(self) -> list[Actor]:
        """Everybody started since the last `fresh`, also those that a supervisor started again."""
        return self._company.actors()

    def trouble(self) -> str:
        """Return in a line which error a function ended with last, or "" for none."""
        for actor in reversed(self.actors):
            if actor.error:
                return f"{actor.role}() ended with {actor.error}"
            if actor.code is not None and not actor.returned and actor.code not in (0, -9):
                return f"{actor.role}() ended with exit status {actor.code}"
        return ""

    def call(self, role: str, *arguments: Any, timeout_s: float = 10.0) -> Any:
        """Run one of the learner's functions to its end and return what it returned, as JSON.

        Raises:
            WaitTimeoutError: it does not return by the deadline.
        """
        actor = self.start(role, *arguments)
        try:
            self.wait(lambda: not actor.running, timeout_s=timeout_s, what=f"{role}() to return")
        finally:
            actor.kill()
        return actor.result

    def wait(self, condition: Callable[[], Any], *, timeout_s: float, what: str) -> Any:
        """Wait until ``condition()`` is true, looking again after each boundary.

        Raises:
            WaitTimeoutError: it is not true by the deadline.
            OutOfTimeError: the time of the whole check is over.
        """
        if (result := self.settle(condition, timeout_s=timeout_s, quiet_s=timeout_s)) is None:
            raise WaitTimeoutError(f"waited {timeout_s:g} s for {what}, in vain")
        return result

    def settle(
        self, condition: Callable[[], Any], *, timeout_s: float = 10.0, quiet_s: float = 1.0
    ) -> Any:
        """Wait until ``condition()`` is true, or nothing happens any more.

        Args:
            condition: looked at after each boundary, and every 20 ms.
            timeout_s: deadline in seconds.
            quiet_s: give up when no boundary was reached for so long, in seconds.

        Returns:
            What ``condition()`` gave, or None when it did not become true.

        Raises:
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        end = time.monotonic() + timeout_s
        count, heard = -1, time.monotonic()
        while True:
            result = condition()
            if result:
                return result
            if self._company.unusable:
                raise UnusableError(self._company.unusable)
            now = time.monotonic()
            if len(self.boundaries) != count:
                count, heard = len(self.boundaries), now
            if now >= end or now - heard >= quiet_s:
                return None
            if now >= self.deadline:
                raise OutOfTimeError("the check ran out of time")
            with self._changed:
                self._changed.wait(0.02)

    def count(self, at: str, message: str | None = None, *, actor: str | None = None) -> int:
        """Return how many boundaries of a kind there were since the last `fresh`."""
        return sum(
            one.at == at
            and (message is None or one.message == message)
            and (actor is None or one.actor == actor)
            for one in list(self.boundaries)
        )

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the store; none when a table has gone."""
        with closing(sqlite3.connect(self._store, timeout=5)) as db:
            try:
                return db.execute(sql, values).fetchall()
            except sqlite3.Error:
                return []

    def take_all(
        self, queue: str, *, expected: Iterable[str] = (), timeout_s: float = 2.0
    ) -> list[tuple[Any, Any, bytes]]:
        """Empty a queue once its consumers are dead, and return what was in it.

        What a dead consumer held comes back a little later than its death; so this goes on until
        all ``expected`` ids were seen, or for ``timeout_s`` seconds. Empty list for no queue.

        Raises:
            AMQPError: the broker refused something else; what it holds is then not known.
        """
        found: list[tuple[Any, Any, bytes]] = []
        wanted, end = set(expected), time.monotonic() + timeout_s
        with closing(broker.connect()) as connection:
            while True:
                try:
                    for one in everything(connection, queue):
                        found.append(one)
                        wanted.discard(one[1].message_id)
                except ChannelClosedByBroker as error:
                    if error.reply_code == NOT_FOUND:
                        break
                    if error.reply_code != RESOURCE_LOCKED:  # by a consumer that is just dying
                        raise
                if not wanted or time.monotonic() >= end:
                    break
                time.sleep(0.02)
        return found

    def _arrived(self, actor: Actor, boundary: Boundary) -> Order:
        with self._changed:
            self.boundaries.append(boundary)
            actor.boundaries.append(boundary)
            self._record(actor, boundary)
            order: Order = "go"
            if boundary.at in CRASHABLE:
                fault = self.fault
                if fault is None or fault.role in ("", actor.role):
                    self.points += 1
                    if fault is not None and self.points == fault.point:
                        order = fault.action
            if order == "go":
                order = self.direct(actor, boundary)
            if order in ("kill", "cut"):
                kind = "crash" if order == "kill" else "cut"
                self.history.record(
                    kind, boundary.message, actor=actor.name, detail=boundary.moment
                )
            self._changed.notify_all()
        return order

    def _record(self, actor: Actor, boundary: Boundary) -> None:
        kind = RECORDED.get(boundary.at)
        if boundary.details.get("committed"):
            kind = "effect"
        if kind is None:
            return
        for message in boundary.details.get("messages") or [boundary.message]:
            self.history.record(
                kind,
                message,
                actor=actor.name,
                redelivered=bool(boundary.details.get("redelivered")),
            )
