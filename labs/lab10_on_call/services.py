"""The publisher and the consumers of a system: threads with separate, real connections."""

import threading
import time
from contextlib import suppress
from typing import Any

import pika
from pika.exceptions import AMQPError

from helpers.rabbitmq.ready import hang_up
from labs.lab10_on_call.cases import POISON
from labs.lab10_on_call.state import State

KEY, OTHER_KEY = "document.created", "workspace.opened"  # no queue is bound to the other key
FAIL_S = 0.02
END_S = 3.0
BLOCKED_S = 120.0  # longer than the alarm lasts


class _Part:
    """A thread with a separate connection, which is cut at its end, as by a kill."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._connection = state.place.connect(blocked_connection_timeout=BLOCKED_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run_until_cut, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """End the thread, and cut its connection."""
        self._ended.set()
        hang_up(self._connection)
        self._thread.join(END_S)

    def _run_until_cut(self) -> None:
        with suppress(AMQPError, OSError):
            self._run(self._connection.channel())

    def _run(self, channel: Any) -> None:
        raise NotImplementedError


class Worker(_Part):
    """A consumer."""

    def _run(self, channel: Any) -> None:
        code, state, seen = self.state.code, self.state, 0

        def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
            nonlocal seen
            event, tag, seen = properties.message_id, method.delivery_tag, seen + 1
            if self._ended.is_set() or (code.holds_after is not None and seen > code.holds_after):
                return
            time.sleep(code.work_s)
            if not code.fails(event):
                state.handled.add(event)
                channel.basic_ack(tag)
                return
            time.sleep(FAIL_S)
            channel.basic_reject(tag, requeue=code.requeues)
            if not code.requeues:
                state.given_up.add(event)

        channel.basic_qos(prefetch_count=state.case.prefetch)
        channel.basic_consume(state.queue, on_message, auto_ack=False)
        channel.start_consuming()


class Publisher(_Part):
    """A publisher at a steady rate; an event counts as published when it is confirmed."""

    def _run(self, channel: Any) -> None:
        case, outbox, exchange = self.state.case, self.state.outbox, self.state.exchange
        channel.confirm_delivery()
        for _ in range(2):  # dropped, and no incident
            channel.basic_publish(exchange, OTHER_KEY, b"{}")
        if case.poison and not outbox:
            channel.basic_publish(exchange, KEY, b"{}", properties(POISON))
            outbox.append(POISON)
        began_s, first = time.monotonic(), max(len(outbox), case.burst)
        while not self._ended.is_set():
            due = first + int((time.monotonic() - began_s) * case.per_s)
            while len(outbox) < min(due, case.most or due) and not self._ended.is_set():
                event = str(len(outbox) + 1)
                with self.state.publishing:
                    channel.basic_publish(exchange, KEY, b"{}", properties(event))
                    outbox.append(event)
            self._connection.process_data_events(time_limit=0.02)


def properties(event: str) -> pika.BasicProperties:
    """Return the properties of an event."""
    return pika.BasicProperties(message_id=event, delivery_mode=1)
