"""Consumers that record deliveries and settlements, each on its own thread and connection."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from operator import itemgetter
from typing import Any, Self

from pika.exceptions import AMQPError

from helpers import broker
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.history import History, Row
from helpers.rabbitmq import ready
from helpers.waits import wait_until

OnMessage = Callable[[Any, Any, Any, bytes], object]
GOODBYE_S = 5.0


def take(channel: Any, queue: str, *, timeout_s: float = 10.0) -> tuple[Any, Any, bytes]:
    """Get the next message of a queue, waiting until there is one; it stays unacknowledged.

    Args:
        channel: an open channel; acks and rejects of the message belong on it.
        queue: an existing queue.
        timeout_s: deadline in seconds.

    Returns:
        Method, properties and body, as pika's ``basic_get`` returns them.

    Raises:
        WaitTimeoutError: no message by the deadline.

    Source: AMQP 0-9-1, ``basic.get``.
    """

    def get() -> tuple[Any, Any, bytes] | None:
        method, properties, body = channel.basic_get(queue, auto_ack=False)
        return None if method is None else (method, properties, body)

    message = wait_until(get, timeout_s=timeout_s, what=f"a message in queue {queue!r}")
    assert message is not None  # wait_until returns true values only
    return message


class Consumer:
    """One consumer on one queue: ``with Consumer(...) as worker`` subscribes before it enters."""

    def __init__(
        self,
        queue: str,
        *,
        prefetch_count: int,
        auto_ack: bool,
        name: str = "consumer",
        on_message: OnMessage | None = None,
        service_time_s: float = 0.0,
        via: Any = None,
        history: History | None = None,
        stop_after: int | None = None,
    ) -> None:
        """Prepare a consumer.

        Args:
            queue: an existing queue.
            prefetch_count: limit of unacknowledged messages, 0 to 65535; 0 is no limit.
            auto_ack: let the broker count a message as settled once it is sent.
            name: the actor in histories and figures.
            on_message: pika's callback; the default works ``service_time_s`` and acks.
            service_time_s: how long the default callback works on a message, in seconds.
            via: a proxy, or None for the direct way.
            history: where to write ``deliver``, ``effect``, ``ack``, ``nack`` and ``reject``.
            stop_after: stop after this many deliveries.

        Raises:
            UsageError: prefetch out of range.
        """
        if not 0 <= prefetch_count <= 65535:
            raise UsageError(f"prefetch_count must be 0 to 65535, not {prefetch_count!r}")
        self.queue, self.name, self.auto_ack = queue, name, auto_ack
        self.prefetch_count, self.service_time_s = prefetch_count, service_time_s
        self._seen: list[Row] = []  # the deliveries
        self._settled: list[Row] = []  # each ack, nack and reject
        self._effects: list[Row] = []  # the ends of work that takes time
        self._on_message, self._history = on_message, history
        self._stop_after, self._via = stop_after, via
        self._open: dict[int, str] = {}  # unsettled delivery tags of the callback
        self._subscribed, self._stopping, self._ended = threading.Event(), False, False
        self._waiting: list[tuple[int, threading.Event]] = []  # the lowest count first
        self._lock = threading.Lock()  # for changes of the list; the callback only reads it
        self._error: Exception | None = None
        self._cancels: list[object] = []  # what the broker sent
        self._connection: Any = None
        self._channel: Any = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __repr__(self) -> str:
        return f"Consumer({self.name}, prefetch {self.prefetch_count}: {self.count} delivered)"

    @property
    def count(self) -> int:
        """How many messages were delivered to this consumer."""
        return len(self._seen)

    @property
    def times_s(self) -> list[float]:
        """``time.perf_counter()`` at each delivery, in seconds."""
        return [t_s for t_s, _, _ in self._seen]

    @property
    def messages(self) -> list[str]:
        """The messages' ids, in the order of delivery."""
        return [str(message) for _, message, _ in self._seen]

    @property
    def redelivered(self) -> list[bool]:
        """The broker's flag of each delivery."""
        return [redelivered for _, _, redelivered in self._seen]

    @property
    def settled_s(self) -> list[float]:
        """``time.perf_counter()`` after each ack, nack or reject, in seconds."""
        return [t_s for t_s, _, _ in self._settled]

    @property
    def unacked(self) -> int:
        """How many deliveries this consumer has seen and not settled."""
        return 0 if self.auto_ack else self.count - len(self._settled)

    def wait_for(self, count: int, *, timeout_s: float) -> None:
        """Wait until ``count`` messages have been delivered.

        Raises:
            WaitTimeoutError: too few by the deadline.
            RabbitLabError: the consumer failed, or the broker cancelled it.
        """
        # An event, not a poll: waking up often would take time from the measured thread.
        arrived = threading.Event()
        with self._lock:
            self._waiting[:] = sorted([*self._waiting, (count, arrived)], key=itemgetter(0))
        try:
            # `_run` sets `_ended` before it wakes the list: no end is missed in between.
            if self.count < count and not self._ended:
                arrived.wait(timeout_s)
        finally:
            with self._lock:
                self._waiting.remove((count, arrived))
        self._raise_error()
        if self.count < count:
            raise WaitTimeoutError(
                f"{self.name} received {self.count} of {count} deliveries within {timeout_s:g} s"
                f"{' and has stopped' if self._ended else ''}"
            )

    def stop(self) -> None:
        """Cancel, return unsettled messages to the queue, and close; idempotent."""
        self._stopping = True  # messages that the client has prefetched are not handled any more
        if self._thread.is_alive():
            with suppress(AMQPError):
                self._connection.add_callback_threadsafe(self._stop_consuming)
            self._thread.join(timeout=GOODBYE_S + self.service_time_s)

    def _stop_consuming(self) -> None:
        if self._channel is not None:
            self._channel.stop_consuming()

    def __enter__(self) -> Self:
        self._connection = broker.connect(via=self._via)
        self._thread.start()
        try:
            if not self._subscribed.wait(timeout=GOODBYE_S):
                raise WaitTimeoutError(f"{self.name} could not subscribe to {self.queue!r} in time")
            self._raise_error()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self.stop()
        if kind is None:
            self._raise_error()

    def _raise_error(self) -> None:
        if (error := self._error) is not None:
            reason = error if isinstance(error, RabbitLabError) else repr(error)
            raise RabbitLabError(f"{self.name} on queue {self.queue!r} failed: {reason}") from error

    def _run(self) -> None:
        try:
            channel = self._channel = self._connection.channel()
            # The inner channel calls it at once, the outer one not while this consumer cancels.
            channel._impl.add_on_cancel_callback(self._cancels.append)
            channel.basic_qos(prefetch_count=self.prefetch_count, global_qos=False)
            tag, callback = self.name, self._callback()
            channel.basic_consume(self.queue, callback, auto_ack=self.auto_ack, consumer_tag=tag)
            self._subscribed.set()
            channel.start_consuming()
            if self._cancels:
                self._error = ready.explain_cancel(self._connection, self.queue)
        except Exception as error:  # raised again in the thread of the ``with`` block
            self._error = error
        finally:
            self._ended = True  # no delivery will follow
            self._subscribed.set()
            for _, arrived in tuple(self._waiting):
                arrived.set()
            with suppress(AMQPError):
                self._connection.close()

    def _callback(self) -> OnMessage:
        """Build pika's callback with as little work per message as possible: it is measured."""
        clock, work_s, stop_after = time.perf_counter, self.service_time_s, self._stop_after
        handle, auto_ack, ack = self._on_message, self.auto_ack, self._channel.basic_ack
        tap, pending, waiting = _Tap(self._channel, self), self._open, self._waiting
        seen, see, settle = self._seen, self._seen.append, self._settled.append
        effect = self._effects.append
        if self._history is not None:
            self._share(self._history)

        def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
            if self._stopping:
                return
            message = properties.message_id
            see((clock(), message, method.redelivered))
            if waiting and len(seen) >= waiting[0][0]:
                _wake(waiting, len(seen))
            if handle:
                if not auto_ack:
                    pending[method.delivery_tag] = message
                handle(tap, method, properties, body)
            else:
                if work_s:
                    time.sleep(work_s)
                    effect((clock(), message, False))
                if not auto_ack:
                    ack(method.delivery_tag)
                settle((clock(), message, False))
            if stop_after and len(seen) >= stop_after:
                channel.stop_consuming()

        return on_message

    def _share(self, history: History) -> None:
        """Make this consumer's records part of the history, at no cost per message."""
        history.share("deliver", self._seen, actor=self.name)
        if self._on_message is None:  # otherwise the callback records its effects, `_Tap` the acks
            effects = self._effects if self.service_time_s else self._seen
            history.share("effect", effects, actor=self.name)
            if not self.auto_ack:
                history.share("ack", self._settled, actor=self.name)

    def _rows(self, kind: str) -> list[Row]:
        return [] if self._history is None else self._history.rows(kind, actor=self.name)


def _wake(waiting: list[tuple[int, threading.Event]], count: int) -> None:
    for wanted, arrived in tuple(waiting):
        if count >= wanted:
            arrived.set()


class _Tap:
    """The consumer's channel, which records every ack, nack and reject."""

    def __init__(self, channel: Any, consumer: Consumer) -> None:
        self._channel, self._pending = channel, consumer._open
        self._settled = consumer._settled
        self._acks, self._nacks, self._rejects = map(consumer._rows, ("ack", "nack", "reject"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def basic_ack(self, delivery_tag: int = 0, multiple: bool = False) -> None:
        self._channel.basic_ack(delivery_tag, multiple)
        self._record(self._acks, delivery_tag, multiple)

    def basic_nack(
        self, delivery_tag: int = 0, multiple: bool = False, requeue: bool = True
    ) -> None:
        self._channel.basic_nack(delivery_tag, multiple, requeue)
        self._record(self._nacks, delivery_tag, multiple)

    def basic_reject(self, delivery_tag: int = 0, requeue: bool = True) -> None:
        self._channel.basic_reject(delivery_tag, requeue)
        self._record(self._rejects, delivery_tag, False)

    def _record(self, rows: list[Row], delivery_tag: int, multiple: bool) -> None:
        if multiple:  # the tag 0 means all unsettled deliveries, as in AMQP
            for tag in tuple(self._pending):
                if tag <= delivery_tag or delivery_tag == 0:
                    self._record(rows, tag, False)
            return
        if delivery_tag in self._pending:
            row = (time.perf_counter(), self._pending.pop(delivery_tag), False)
            self._settled.append(row)
            rows.append(row)
