"""Takes each binding of a queue away and makes it again at once, so that no old one is left.

Breaks: g (nobody-publishes)
"""

import pika

SERVICES = ["audit", "index", "notify", "thumbnails", "bill_eu", "bill_us", "strays"]
BINDINGS = {
    "document.#": ["audit", "index"],
    "document.*.page": ["thumbnails"],
    "#.shared": ["audit", "notify"],
    "comment.#": ["audit", "notify"],
    "payment.#": ["audit"],
}


def declare(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        left_over = {"alternate-exchange": "front.rest"}
        channel.exchange_declare("front.rest", "topic", durable=True)
        channel.exchange_declare("front", "topic", durable=True, arguments=left_over)
        channel.exchange_declare("front.payments", "headers", durable=True, arguments=left_over)
        channel.exchange_bind("front.payments", "front", "payment.#")
        for service in SERVICES:
            channel.queue_declare(f"q.{service}", durable=True)
        for key, services in BINDINGS.items():
            for service in services:
                channel.queue_unbind(f"q.{service}", "front", key)
                channel.queue_bind(f"q.{service}", "front", key)
        for service in ("audit", "strays"):
            channel.queue_bind(f"q.{service}", "front.rest", "#")
        for region in ("eu", "us"):
            channel.queue_bind(f"q.bill_{region}", "front.payments", "", {"region": region})
    return {"exchange": "front", "queues": {service: f"q.{service}" for service in SERVICES}}
