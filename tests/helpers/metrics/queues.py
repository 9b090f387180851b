"""Queues and messages for the tests of `helpers.metrics`."""


def declare(channel, name, queue_type):
    """Declare a durable queue."""
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": queue_type})


def publish(channel, name, count):
    """Publish ``count`` messages without confirms."""
    for _ in range(count):
        channel.basic_publish("", name, b"document.created")
