"""The play of lab 4 in which the broker is killed before a confirm arrives, and restarted.

Its disposable broker takes seconds to start, so it starts in parallel with other plays.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Self

from pika.exceptions import AMQPError

from helpers import broker
from helpers.broker import DisposableNode
from helpers.errors import BrokerNotFoundError
from helpers.history import History
from labs.judge.actor import Boundary
from labs.judge.draining import drain
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.known import BY_ITSELF, Known
from labs.lab04_guarantees.plays import QUEUE

PAYMENTS = 6
HELD_AT = 4  # the broker dies after it confirmed this payment, before the publisher reads that
START_S = 90.0
# A broker can lose what was declared just before its death. Ra, below quorum queues, saves the
# table of their names half a second after a change; Mnesia, where 3.10 and 4.0 keep queues, can
# hold the decision on the last change in memory for two seconds.
OLD_ENOUGH_S = 2.5


class BrokerDeath:
    """The play in four parts, so that other plays run while the broker starts."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._stack = trial, ExitStack()
        self._node: DisposableNode | None = None
        self._error: Exception | None = None
        self._store, self._declared_s = "", 0.0
        self._history = History()
        self._boundaries: list[Boundary] = []
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if self._thread is not None:
            self._thread.join(START_S)
        self._stack.close()

    def begin(self) -> None:
        """Start the broker in the background, unless this was done before."""
        if self._thread is None:
            self._thread = self._in_background(self._open)

    def declare(self) -> None:
        """Let the learner declare the queue on the new broker."""
        if self._ready():
            self._trial.fresh(*plays.TABLES)
            plays.declare(self._trial, self._url)
            self._declared_s = time.monotonic()

    def kill(self) -> None:
        """Kill the broker while a confirm is on its way, and restart it in the background."""
        if not self._ready():
            return
        trial = self._trial
        trial.fresh(*plays.TABLES)
        plays.book(trial, range(PAYMENTS))
        hold = plays.Hold(trial, "before confirm", HELD_AT)
        trial.start("run_publisher", self._url, trial.store, name="publisher")
        hold.reached()
        old_enough_s = self._declared_s + OLD_ENOUGH_S
        trial.watch.settle(lambda: time.monotonic() >= old_enough_s, quiet_s=OLD_ENOUGH_S)
        assert self._node is not None
        self._node.kill()
        hold.release()
        # Code that tries again does not end: the broker is still away.
        trial.watch.settle(lambda: plays.over(trial, 1), quiet_s=1.0, patience_s=1.0)
        trial.end()
        self._history, self._boundaries = trial.history, trial.watch.boundaries
        self._store = trial.store
        self._thread = self._in_background(self._node.start)

    def finish(self, known: Known) -> Finding | None:
        """Let a new publisher send the rest, and judge what the broker has."""
        if not self._ready():
            return self._by_inspection(known)
        trial = self._trial
        trial.fresh()
        plays.send(trial, url=self._url, store=self._store)
        trial.end()
        arrived = set(self._take())
        for number in range(PAYMENTS):
            message = plays.name(number)
            if message in arrived:
                continue
            events = self._history.story(message)
            confirmed = bool(self._history.events("confirm", message=message))
            if confirmed and known.loss and not known.why_gone():
                return NotSeen("f", BY_ITSELF)
            why = known.why_gone() if confirmed else known.why_unsent(self._boundaries, message)
            story = f"{events} → the broker is killed and comes back: {message} is in no queue"
            return Broken("f", story, why or "not-done")
        return None

    def _open(self) -> None:
        self._node = self._stack.enter_context(broker.disposable())

    def _in_background(self, work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except Exception as error:
                self._error = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _ready(self) -> bool:
        """Wait for the broker; return False on a machine that cannot start one."""
        self.begin()
        thread = self._thread
        assert thread is not None
        self._trial.watch.settle(lambda: not thread.is_alive(), timeout_s=START_S, quiet_s=START_S)
        if isinstance(self._error, BrokerNotFoundError):
            return False
        if self._error is not None:
            raise self._error
        return True

    @property
    def _url(self) -> str:
        assert self._node is not None
        return self._node.broker.amqp_url

    def _take(self) -> Iterator[str]:
        """Yield the ids of all messages in the queue; none for a missing queue."""
        assert self._node is not None
        with suppress(AMQPError), self._node.connect() as connection:
            for _, properties, _ in drain(connection, QUEUE):
                yield str(properties.message_id)

    def _by_inspection(self, known: Known) -> Broken | None:
        why = known.why_gone()
        if not why:
            return None
        mode = "persistent" if known.persistent else "transient"
        durable = "durable" if known.queue.get("durable") else "transient"
        kind = f"a {durable} {known.queue.get('type')} queue, {mode} messages"
        story = f"{kind} (this machine cannot start a RabbitMQ server to kill)"
        return Broken("f", f"{story}: a broker that dies comes back without them", why)
