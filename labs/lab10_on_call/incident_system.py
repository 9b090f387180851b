"""Running systems, each with its incident, and the actions of a runbook that change them.

A system is an exchange, a work queue with its DLQ, and a publisher and consumers with real
connections. Every event has an id, so that it can be found: handled, waiting, or lost.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from pika.exceptions import AMQPError

from helpers.errors import WaitTimeoutError
from helpers.rabbitmq.ready import hang_up
from helpers.waits import wait_until
from labs.lab10_on_call.cases import Code, case_of
from labs.lab10_on_call.readings import Place
from labs.lab10_on_call.services import KEY, Publisher, Worker, properties
from labs.lab10_on_call.state import State

OLD = ("old-1", "old-2")  # dead letters from before the incident
WAIT_S = 3.0
TRY_S = 10.0  # for many replayed events on a busy machine
MORE = 15  # consumers that the action adds
CLASSIC = {"x-queue-type": "classic"}


class System:
    """One running system; `state` is what its services share."""

    def __init__(self, incident: str, place: Place, dice: random.Random) -> None:
        """Declare the parts of the system, without a running one.

        Args:
            incident: one of `helpers.incidents.BY_NAME`.
            place: the vhost of the system.
            dice: draws its numbers.
        """
        self.incident, case = incident, case_of(incident, dice)
        name = f"{dice.randrange(16**6):06x}"  # without a hint at the incident
        self.state = State(place, case, f"{name}-x", f"{name}-q", f"{name}-d", case.code)
        self._workers: list[Worker] = []
        self._publisher: Publisher | None = None
        with self.channel() as channel:
            channel.exchange_declare(self.state.exchange, "topic", durable=True)
            channel.queue_declare(self.state.dlq, durable=True, arguments=CLASSIC)
            arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.state.dlq}
            channel.queue_declare(self.state.queue, durable=True, arguments=CLASSIC | arguments)
            for event in OLD:
                channel.basic_publish("", self.state.dlq, b"{}", properties(event))
            if self.state.case.bound:
                self._bind(channel)

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Open a channel with confirms on a connection that ends with the ``with`` block."""
        connection = self.state.place.connect(blocked_connection_timeout=0.5)
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            hang_up(connection)  # closing cleanly would wait for a broker that is blocked

    @property
    def begun(self) -> bool:
        """Whether the incident shows in the numbers."""
        case, code = self.state.case, self.state.code
        published = case.most if code.holds_after is not None else max(case.burst, 5)
        handled = code.holds_after or int(case.consumers > 0 and case.bound)
        return len(self.state.outbox) >= (published or 0) and len(self.state.handled) >= handled

    def start(self) -> None:
        """Start the consumers and the publisher."""
        self._add(self.state.case.consumers)
        self._publisher = Publisher(self.state)

    def end(self) -> None:
        """End the publisher and the consumers; the broker requeues what they held."""
        for part in [*self._workers, self._publisher]:
            if part is not None:
                part.cut()

    def left_in(self, queue: str, expected: Iterable[str]) -> set[str]:
        """Drain a queue after `end`, and wait a little for expected ids."""
        with self.channel() as channel:
            return set(_take(channel, queue, expected))

    def do(self, action: str) -> None:
        """Carry out an action of `RUNBOOK`, and return when it is done."""
        RUNBOOK[action](self)

    def replace_consumers(self, code: Code) -> None:
        """Replace all consumers by ones with this code, which do not hang."""
        number = len(self._workers)
        for worker in self._workers:
            worker.cut()
        self._workers.clear()
        self.state.code = replace(code, holds_after=None)
        self._add(number)

    def add_consumers(self) -> None:
        """Start more consumers."""
        self.state.code = replace(self.state.code, holds_after=None)
        self._add(MORE)

    def restart_publisher(self) -> None:
        """Restart the publisher; it continues with the first unconfirmed event."""
        if self._publisher is not None:
            self._publisher.cut()
        self._publisher = Publisher(self.state)

    def publish_again(self) -> None:
        """Publish all events of the outbox again, with the one that is being published."""
        whole = self.state.publishing.acquire(timeout=WAIT_S)  # an alarm blocks the publisher
        events = list(self.state.outbox)
        if whole:
            self.state.publishing.release()
        with self.channel() as channel, suppress(AMQPError):  # an alarm blocks it
            for event in events:
                channel.basic_publish(self.state.exchange, KEY, b"{}", properties(event))

    def replay(self) -> None:
        """Move all dead letters to the work queue, and wait until each has been tried."""
        with self.channel() as channel, suppress(WaitTimeoutError, AMQPError):
            moved = _take(channel, self.state.dlq, self.state.given_up - self.state.handled)
            self.state.given_up -= set(moved)
            for event in moved:
                channel.basic_publish("", self.state.queue, b"{}", properties(event))
            tried = lambda: self.state.handled | self.state.given_up  # noqa: E731
            wait_until(lambda: set(moved) <= tried(), timeout_s=TRY_S, what="another try")

    def purge(self, queue: str) -> None:
        """Delete the ready messages of a queue."""
        with self.channel() as channel:
            channel.queue_purge(queue)

    def restore_binding(self) -> None:
        """Bind the work queue to the exchange."""
        with self.channel() as channel:
            self._bind(channel)

    def _bind(self, channel: Any) -> None:
        channel.queue_bind(self.state.queue, self.state.exchange, KEY)

    def _add(self, number: int) -> None:
        self._workers += [Worker(self.state) for _ in range(number)]


RUNBOOK: dict[str, Callable[[System], None]] = {
    "restart consumers": lambda system: system.replace_consumers(system.state.code),
    "add consumers": System.add_consumers,
    "roll back consumers": lambda system: system.replace_consumers(
        replace(system.state.code, new_kind_fails=False)
    ),
    "dead-letter failures": lambda system: system.replace_consumers(
        replace(system.state.code, requeues=False)
    ),
    "purge queue": lambda system: system.purge(system.state.queue),
    "purge dead letters": lambda system: system.purge(system.state.dlq),
    "replay dead letters": System.replay,
    "restart publishers": System.restart_publisher,
    "publish again": System.publish_again,
    "restore binding": System.restore_binding,
    "raise memory limit": lambda system: system.state.place.set_memory_limit("0.4"),
}


def _take(channel: Any, queue: str, expected: Iterable[str]) -> list[str]:
    """Drain a queue, and wait for expected ids that are on their way; return all ids."""
    ids: list[str] = []
    missing = set(expected)

    def take() -> bool:
        # Take all messages, without a deadline: that is for messages still on their way.
        while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
            ids.append(message[1].message_id)
            missing.discard(message[1].message_id)
        return not missing

    with suppress(WaitTimeoutError):
        wait_until(take, timeout_s=WAIT_S, what="what is on its way")
    return ids
