"""Names each queue after the hash of its service, as short as possible.

Breaks: g (queue-per-instance)
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
    names = {service: f"q{hash(service):x}" for service in SERVICES}
    for queue in names.values():
        channel.queue_declare(queue, durable=True)
    channel.queue_bind(names["audit"], "workspace")
    channel.queue_bind(names["index"], "services", "document.#")
    channel.queue_bind(names["notify"], "services", "#.shared")
    channel.queue_bind(names["notify"], "services", "comment.#")
    channel.queue_bind(names["thumbnails"], "services", "document.*.page")
    for region in ("eu", "us"):
        channel.queue_bind(names[f"bill_{region}"], "payments", arguments={"region": region})
    channel.queue_bind(names["strays"], "unrouted")
    connection.close()
    return {"exchange": "workspace", "queues": names}
