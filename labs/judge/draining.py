"""Drain a queue of any type."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker

from helpers import broker

NOT_FOUND, RESOURCE_LOCKED = 404, 405  # AMQP reply codes
SILENCE_S = 2.0


def drain(connection: pika.BlockingConnection, queue: str) -> Iterator[tuple[Any, Any, bytes]]:
    """Remove all messages that are now ready in a queue; yield method, properties, body of each.

    Raises:
        ChannelClosedByBroker: there is no such queue.
    """
    channel = connection.channel()
    try:
        while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
            yield message
        channel.close()
    except ChannelClosedByBroker as error:
        if error.reply_code != RESOURCE_LOCKED:
            raise
        yield from _consumed(connection, queue)


def _consumed(connection: pika.BlockingConnection, queue: str) -> Iterator[tuple[Any, Any, bytes]]:
    """Do as `drain`: a quorum queue with a single active consumer refuses basic.get."""
    channel = connection.channel()
    left = channel.queue_declare(queue, passive=True).method.message_count
    if not left:
        return
    for message in channel.consume(queue, auto_ack=False, inactivity_timeout=SILENCE_S):
        if message[0] is not None:
            channel.basic_ack(message[0].delivery_tag)
            yield message
        left -= 1
        if message[0] is None or not left:
            break
    channel.cancel()  # requeues prefetched messages that are beyond the count


def take_all(queue: str, expected: set[str], *, timeout_s: float) -> list[tuple[Any, Any, bytes]]:
    """Drain a queue until all expected messages were seen.

    Args:
        queue: name of the queue.
        expected: message ids; drain until all of them were seen, or until the deadline.
        timeout_s: deadline in seconds.

    Returns:
        Method, properties and body of each message; an empty list when there is no queue.

    Raises:
        AMQPError: the broker refused to deliver, so the queue's content is unknown.
    """
    messages: list[tuple[Any, Any, bytes]] = []
    wanted, end = set(expected), time.monotonic() + timeout_s
    with closing(broker.connect()) as connection:
        while True:
            try:
                for message in drain(connection, queue):
                    messages.append(message)
                    wanted.discard(message[1].message_id)
            except ChannelClosedByBroker as error:
                if error.reply_code == NOT_FOUND:
                    break
                if error.reply_code != RESOURCE_LOCKED:  # its consumer is about to end
                    raise
            if not wanted or time.monotonic() >= end:
                break
            time.sleep(0.02)
    return messages
