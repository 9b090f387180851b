"""Connections of the judge: they last as long as a check, however long it waits."""

from typing import Any

from helpers import broker

# While the judge waits for a learner's code, nothing serves its own connections.
HEARTBEAT_S = 600


def connect(**overrides: Any) -> Any:
    """Open a connection to the scratch vhost, with any keyword of ``pika.ConnectionParameters``.

    Raises:
        BrokerError: no connection; the message is one sentence with the reason.
    """
    return broker.connect(heartbeat=HEARTBEAT_S, **overrides)


def clean_channel() -> Any:
    """Return a channel to the scratch vhost, which is emptied first.

    Raises:
        BrokerError: no connection; the message is one sentence with the reason.
    """
    return broker.clean_channel(heartbeat=HEARTBEAT_S)


def confirmed_channel() -> Any:
    """Return a channel with confirms, in place of one that the broker has closed.

    Raises:
        BrokerError: no connection; the message is one sentence with the reason.
    """
    channel = connect().channel()
    channel.confirm_delivery()
    return channel
