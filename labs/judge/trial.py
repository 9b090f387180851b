"""Run a learner's code in separate processes, and decide at each boundary whether they die.

Every boundary that the code reaches (see ``sandbox``) is reported here and waits for an answer. A
check reads its verdict from the broker and the store; boundaries only decide when something
happens, and give the history that the verdict shows.
"""

import itertools
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from helpers import broker
from helpers.history import History
from labs.judge.actor import Actor, Boundary
from labs.judge.actors import ActorPool
from labs.judge.connecting import clean_channel
from labs.judge.draining import take_all
from labs.judge.errors import UnusableError
from labs.judge.faults import FAIL, FULL_QUEUE, Fault, Order, in_words
from labs.judge.findings import Broken
from labs.judge.sandbox.limits import Limits
from labs.judge.watch import Watch

RECORDED = {
    "delivery": "deliver", "after ack": "ack", "after nack": "nack", "after reject": "reject",
    "before publish": "publish", "before confirm": "confirm", "before nacked publish": "nacked",
}  # fmt: skip


def go_on(actor: Actor, boundary: Boundary) -> Order:
    """Let every actor go on: the default of `Trial.direct`."""
    return "go"


class Trial:
    """One submission with a scratch vhost, a store, and a record of everything that happened.

    Use as a context manager. ``channel`` is the judge's channel, ``history`` has every event since
    the last `fresh`, ``watch`` every boundary, ``direct`` may be set to a function that decides
    what happens at a boundary, and ``name_of`` to one that names a message by the beginning of its
    body, where copies need not keep the message's id.
    """

    def __init__(
        self, submission: Path, *, modules: Sequence[str] = (), limits: Limits, hidden: bool = False
    ) -> None:
        """Prepare a trial without a process.

        Args:
            submission: the learner's file.
            modules: slow imports of the submission, which are done once for all processes.
            limits: bounds of its processes.
            hidden: whether to judge the hidden cases, too, which learners are not given.
        """
        self.submission = submission
        self.hidden = hidden
        self.history = History()
        self.direct: Callable[[Actor, Boundary], Order] = go_on
        self.fault: Fault | None = None
        self.name_of: Callable[[str], str] = lambda body: ""  # names a message by its body
        self._names: dict[str, str] = {}  # id of a message → its name by its body
        self.points = 0  # boundaries for a kill or a cut since the last `fresh`
        self.failable = 0  # boundaries for a failure since the last `fresh`
        self.channel: Any = None
        self._folder = tempfile.TemporaryDirectory(prefix="lab-")
        self.folder = Path(self._folder.name)
        self._numbers = itertools.count(1)
        self._pool = ActorPool(submission, self.folder, modules, limits, self._arrived)
        self.watch = Watch(
            limits.seconds,
            unusable=self._pool.why_unusable,
            active=lambda: any(actor.running for actor in self.actors),
            loading=lambda: any(actor.loading for actor in self.actors),
        )
        self._store = self.folder / "store-0.db"

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._pool.close()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """AMQP URL of the scratch vhost, with a user who has access to nothing else."""
        return broker.amqp_url()

    @property
    def store(self) -> str:
        """The SQLite file of this run."""
        return str(self._store)

    def fresh(self, *tables: str) -> Any:
        """Start over: no actor runs, the vhost is empty, the store has just these empty tables.

        Args:
            tables: like ``"charges (payment TEXT PRIMARY KEY, cents INTEGER)"``.

        Returns:
            A new channel for the judge.
        """
        self.end()
        self.audit()
        self.channel = clean_channel()
        if self.fault is not None and self.fault.action == "fail":
            arguments = {"x-max-length": 0, "x-overflow": "reject-publish"}
            self.channel.queue_declare(FULL_QUEUE, durable=True, arguments=arguments)
        self._store = self.folder / f"store-{next(self._numbers)}.db"
        with closing(sqlite3.connect(self._store)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            for table in tables:
                db.execute(f"CREATE TABLE {table}")
            db.commit()
        self._pool.ledger.open(self._store)
        with self.watch.changed:
            self.watch.begin()
            self.history, self.points, self.failable = History(), 0, 0
            self._names.clear()
        return self.channel

    def start(self, role: str, *arguments: Any, name: str = "", restarts: int = 0) -> Actor:
        """Run one of the learner's functions in a separate process.

        Args:
            role: the function's name.
            arguments: its arguments, as JSON can hold them.
            name: the actor's name in stories; default: the role.
            restarts: how often a supervisor restarts it after it has died, until `end`; it is not
                restarted after it has returned.
        """
        return self._pool.start(role, arguments, name or role, restarts)

    def end(self) -> None:
        """Kill all running actors at once, and wait for their ends."""
        self._pool.end_all()

    @property
    def actors(self) -> list[Actor]:
        """All actors since the last `fresh`, those that a supervisor restarted included."""
        return self._pool.actors()

    def undone(self, requirement: str, story: str = "") -> Broken:
        """Return a finding about code that does not do what the requirement is about.

        Args:
            requirement: its letter.
            story: what happened, where no function ended with an error.
        """
        if trouble := self.trouble():
            return Broken(requirement, trouble, "raised")
        return Broken(requirement, story or "nothing happened", "not-done")

    def trouble(self) -> str:
        """Return the last error that a function ended with, in one line, or "" for none."""
        for actor in reversed(self.actors):
            if actor.error:
                return f"{actor.role}() ended with {actor.error}{self._really(actor.error)}"
            if actor.code is not None and not actor.returned and actor.code not in (0, -9):
                return f"{actor.role}() ended with {actor.how}"
        return ""

    def _really(self, error: str) -> str:
        """Return what sets a full disk apart from one that this check pretends, or ""."""
        full = "disk is full" in error or "No space left" in error
        pretended = self.fault is not None and self.fault.action == "fail"
        return "; the check did not pretend it: look for room" if full and not pretended else ""

    def call(self, role: str, *arguments: Any, timeout_s: float = 10.0) -> Any:
        """Run one of the learner's functions to its end, and return its return value as JSON.

        Args:
            role: the function's name.
            arguments: its arguments, as JSON can hold them.
            timeout_s: deadline in seconds.

        Raises:
            WaitTimeoutError: it has not ended by the deadline.
            OutOfTimeError: the time of the whole check is over.
            UnusableError: the file cannot be loaded, or lacks the function.
        """
        actor = self.start(role, *arguments)
        try:
            self.watch.wait(
                lambda: not actor.running, timeout_s=timeout_s, what=f"{role}() to return"
            )
        finally:
            actor.kill()
        return actor.result

    def rows(
        self, sql: str, values: Sequence[Any] = (), *, store: str = ""
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the store; an empty list when a table is missing.

        Args:
            sql: the query.
            values: its parameters.
            store: the store of an earlier run; "": of this one.
        """
        with closing(sqlite3.connect(store or self._store, timeout=5)) as db:
            try:
                return db.execute(sql, values).fetchall()
            except sqlite3.Error:
                return []

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a connection to the store for one transaction of the check itself."""
        return self._pool.ledger.writing()

    def probing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a connection to the store that waits for no lock, and must commit nothing."""
        return closing(sqlite3.connect(self._store, timeout=0, isolation_level=None))

    def audit(self) -> None:
        """Compare the store's commits with those that the submission reported.

        Raises:
            UnusableError: it has others, so there were points where no fault was tried.
        """
        if problem := self._pool.ledger.problem():
            raise UnusableError(problem)

    def take_all(
        self, queue: str, *, expected: Iterable[str] = (), timeout_s: float = 2.0
    ) -> list[tuple[Any, Any, bytes]]:
        """Drain a queue after its consumers were killed, and return its messages.

        The broker requeues what a consumer held a little after the consumer's death.

        Args:
            queue, expected, timeout_s: see `draining.take_all`.

        Returns:
            Method, properties and body of each message; an empty list when there is no queue.
        """
        return take_all(queue, set(expected), timeout_s=timeout_s)

    def _named(self, boundary: Boundary) -> Boundary:
        """Return the boundary of a message, with the name that its body gives to all its copies."""
        if name := self.name_of(str(boundary.details.get("body", ""))):
            self._names[boundary.message] = name
        message, *messages = (
            self._names.get(known, known) for known in (boundary.message, *boundary.messages)
        )
        return replace(
            boundary, message=message, details={**boundary.details, "messages": messages}
        )

    def _arrived(self, actor: Actor, boundary: Boundary) -> Order:
        with self.watch.changed:
            boundary = self._named(boundary)
            self.watch.boundaries.append(boundary)
            actor.boundaries.append(boundary)
            self._record(actor, boundary)
            order = self._fault_at(actor, boundary)
            if order == "go":
                order = self.direct(actor, boundary)
            if order in ("kill", "cut"):
                kind = "crash" if order == "kill" else "cut"
                self.history.record(
                    kind, boundary.message, actor=actor.name, detail=boundary.moment
                )
            elif isinstance(order, str) and order.startswith(FAIL):
                detail = in_words(order, boundary.moment)
                self.history.record("fail", boundary.message, actor=actor.name, detail=detail)
            self.watch.changed.notify_all()
        return order

    def _fault_at(self, actor: Actor, boundary: Boundary) -> Order:
        fault = self.fault or Fault(0, "kill")
        if fault.role not in ("", actor.role):
            return "go"
        crashes, fails = fault.crashes_at(boundary.at), fault.fails_at(boundary.at)
        self.points += crashes
        self.failable += fails
        if fault.action == "fail" and fails and self.failable == fault.point:
            return fault.failure(boundary.at)
        if fault.action != "fail" and crashes and self.points == fault.point:
            return fault.action
        return "go"

    def _record(self, actor: Actor, boundary: Boundary) -> None:
        kind = RECORDED.get(boundary.at)
        if boundary.details.get("committed") and actor.changed_rows:
            kind = "effect"
        if kind is None:
            return
        redelivered = bool(boundary.details.get("redelivered"))
        for message in boundary.messages:
            self.history.record(kind, message, actor=actor.name, redelivered=redelivered)
