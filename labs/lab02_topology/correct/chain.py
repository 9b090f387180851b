"""Alternate exchanges in a chain: first words, then headers, then what is left."""

import pika

QUORUM = {"x-queue-type": "quorum"}
FIRST = {
    "documents-index": ["document.#"],
    "notifications": ["*.shared", "#.shared", "comment", "comment.#"],
    "thumbnail-jobs": ["document.*.page"],
}


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    exchange(channel, "nobody", "fanout")
    exchange(channel, "by-header", "headers", instead="nobody")
    exchange(channel, "by-word", "topic", instead="by-header")
    exchange(channel, "events", "topic")
    channel.exchange_bind("by-word", "events", "#")

    queue(channel, "audit-log")
    channel.queue_bind("audit-log", "events", "#")
    for name, keys in FIRST.items():
        queue(channel, name)
        for key in keys:
            channel.queue_bind(name, "by-word", key)
    for region in ("eu", "us"):
        queue(channel, f"bills-{region}")
        wanted = {"x-match": "all", "thing": "payment", "region": region}
        channel.queue_bind(f"bills-{region}", "by-header", arguments=wanted)
    queue(channel, "lost-and-found")
    channel.queue_bind("lost-and-found", "nobody")
    connection.close()
    queues = {
        "audit": "audit-log",
        "index": "documents-index",
        "notify": "notifications",
        "thumbnails": "thumbnail-jobs",
        "bill_eu": "bills-eu",
        "bill_us": "bills-us",
        "strays": "lost-and-found",
    }
    return {"exchange": "events", "queues": queues}


def exchange(channel, name, kind, instead=None):
    arguments = {"alternate-exchange": instead} if instead else None
    channel.exchange_declare(name, kind, durable=True, arguments=arguments)


def queue(channel, name):
    channel.queue_declare(name, durable=True, arguments=QUORUM)
