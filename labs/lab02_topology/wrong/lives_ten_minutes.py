"""Throws away what is older than ten minutes.

Breaks: h (old-may-go)
"""

import pika

SERVICES = ["audit", "index", "notify", "thumbnails", "bill_eu", "bill_us", "strays"]
LEFT_OVER = {"alternate-exchange": "unrouted"}


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.exchange_declare("unrouted", "fanout", durable=True)
    channel.exchange_declare("workspace", "fanout", durable=True)
    channel.exchange_declare("services", "topic", durable=True, arguments=LEFT_OVER)
    channel.exchange_declare("payments", "headers", durable=True, arguments=LEFT_OVER)
    channel.exchange_bind("services", "workspace")
    channel.exchange_bind("payments", "services", "payment.#")
    for queue in SERVICES:
        channel.queue_declare(queue, durable=True, arguments={"x-message-ttl": 600_000})
    channel.queue_bind("audit", "workspace")
    channel.queue_bind("index", "services", "document.#")
    channel.queue_bind("notify", "services", "#.shared")
    channel.queue_bind("notify", "services", "comment.#")
    channel.queue_bind("thumbnails", "services", "document.*.page")
    for region in ("eu", "us"):
        channel.queue_bind(f"bill_{region}", "payments", arguments={"region": region})
    channel.queue_bind("strays", "unrouted")
    connection.close()
    return {"exchange": "workspace", "queues": {queue: queue for queue in SERVICES}}
