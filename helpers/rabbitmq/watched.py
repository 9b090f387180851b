"""Say in one sentence that a broker has stopped answering, or why it blocks publishers.

pika's own words are "No activity or too many missed heartbeats in the last 30 seconds" and "Blocked
connection timeout expired.", the first up to 70 s after the last sign of life.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pika
from pika import exceptions

from helpers.errors import BrokerNotReadyError

# A broker sends something every 15 s, half of ready.DEFAULTS' heartbeat, so that 26 s of silence
# are no short delay. The heartbeat itself stays: with a shorter one, the broker would close the
# connections of a notebook whose reader pauses for half a minute.
SILENCE_S = 26.0
LOOK_EVERY_S = 1.0
LONGEST_HEARTBEAT_S = 30

Alarms = Callable[[], Iterable[tuple[str, str]]]


class StoppedAnsweringError(BrokerNotReadyError, exceptions.AMQPHeartbeatTimeout):
    """Nothing has come from the broker for so long that it has stopped, or the network has."""


class PublishersBlockedError(BrokerNotReadyError, exceptions.ConnectionBlockedTimeout):
    """The broker blocks publishers: it is short of memory or disk."""


def watch(connection: pika.BlockingConnection, alarms: Alarms) -> None:
    """Make a connection's failures clear sentences, and notice a silent broker within 30 s.

    The looks are counted while pika waits for the broker, so a pause of the program counts for
    nothing.

    Args:
        connection: an open one.
        alarms: asked for the broker's alarms, "disk" or "memory" and a reason for each.

    Source: RabbitMQ documentation, "Detecting Dead TCP Connections with Heartbeats".
    """
    Watch(connection._impl, alarms)


class Watch:
    """Watches over one connection of pika."""

    def __init__(self, impl: Any, alarms: Alarms) -> None:
        self._impl = impl
        self._alarms = alarms
        self._where = f"{impl.params.host}:{impl.params.port}"
        self._said = ""
        self._received = -1
        self._silent_looks = 0
        self._terminate = impl._terminate_stream
        impl._terminate_stream = self._explain_and_terminate
        impl.add_on_connection_blocked_callback(self._note_reason)
        if 0 < impl.params.heartbeat <= LONGEST_HEARTBEAT_S:  # as agreed with the broker
            self._look_later()

    def _look_later(self) -> None:
        self._impl._adapter_call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        if not self._impl.is_open:
            return
        received = self._impl.bytes_received
        self._silent_looks = self._silent_looks + 1 if received == self._received else 0
        self._received = received
        if self._silent_looks * LOOK_EVERY_S >= SILENCE_S:
            self._impl._terminate_stream(exceptions.AMQPHeartbeatTimeout())
        else:
            self._look_later()

    def _note_reason(self, _: Any, frame: Any) -> None:
        self._said = frame.method.reason

    def _explain_and_terminate(self, error: BaseException | None) -> None:
        self._terminate(self._explained(error))

    def _explained(self, error: BaseException | None) -> BaseException | None:
        if isinstance(error, exceptions.AMQPHeartbeatTimeout):
            return StoppedAnsweringError(f"the broker at {self._where} has stopped answering")
        if isinstance(error, exceptions.ConnectionBlockedTimeout):
            # The broker says "low on disk"; the statistics may show an earlier alarm.
            why = [text for resource, text in self._alarms() if resource in self._said]
            return PublishersBlockedError(
                f"the broker at {self._where} blocks publishers: {'; '.join(why) or self._said}"
            )
        return error
