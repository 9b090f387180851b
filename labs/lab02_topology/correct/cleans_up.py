"""One topic exchange in front; bindings of an earlier version go after the new ones are there."""

import pika

SERVICES = ["audit", "index", "notify", "thumbnails", "bill_eu", "bill_us", "strays"]
BINDINGS = {
    "document.#": ["audit", "index"],
    "document.*.page": ["thumbnails"],
    "#.shared": ["audit", "notify"],
    "comment.#": ["audit", "notify"],
    "payment.#": ["audit"],
}
EARLIER = {"document.created.page": "q.thumbnails", "document.shared": "q.notify"}


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
                channel.queue_bind(f"q.{service}", "front", key)
        for key, queue in EARLIER.items():
            channel.queue_unbind(queue, "front", key)
        for service in ("audit", "strays"):
            channel.queue_bind(f"q.{service}", "front.rest", "#")
        for region in ("eu", "us"):
            channel.queue_bind(f"q.bill_{region}", "front.payments", "", {"region": region})
    return {"exchange": "front", "queues": {service: f"q.{service}" for service in SERVICES}}
