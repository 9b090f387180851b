"""Takes all messages out of a queue, whatever its kind."""

from collections.abc import Iterator
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

NOT_FOUND, RESOURCE_LOCKED = 404, 405  # AMQP reply codes
SILENCE_S = 2.0


def everything(connection: pika.BlockingConnection, queue: str) -> Iterator[tuple[Any, Any, bytes]]:
    """Yield, and take, what the queue holds now: method, properties and body of each message.

    Raises:
        ChannelClosedByBroker: there is no such queue.
    """
    channel = connection.channel()
    try:
        while (one := channel.basic_get(queue, auto_ack=True))[0] is not None:
            yield one
        channel.close()
    except ChannelClosedByBroker as error:
        if error.reply_code != RESOURCE_LOCKED:
            raise
        yield from _consumed(connection, queue)


def _consumed(connection: pika.BlockingConnection, queue: str) -> Iterator[tuple[Any, Any, bytes]]:
    """Do as `everything`: a quorum queue with a single active consumer refuses basic.get."""
    channel = connection.channel()
    left = channel.queue_declare(queue, passive=True).method.message_count
    if not left:
        return
    for one in channel.consume(queue, auto_ack=False, inactivity_timeout=SILENCE_S):
        if one[0] is not None:
            channel.basic_ack(one[0].delivery_tag)
            yield one
        left -= 1
        if one[0] is None or not left:
            break
    channel.cancel()  # gives back what it was sent beyond that
