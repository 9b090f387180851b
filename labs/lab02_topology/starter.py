"""Lab 2: one topology for seven services. `declare` is yours; this one has the exchange only."""

import pika


def declare(url):
    """Declare what is needed, and say where to publish and which queue each service reads."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    channel.exchange_declare("workspace", "topic", durable=True)
    channel.queue_declare("audit", durable=True)

    connection.close()
    return {
        "exchange": "workspace",
        "queues": {
            "audit": "audit",
            "index": "index",
            "notify": "notify",
            "thumbnails": "thumbnails",
            "bill_eu": "bill_eu",
            "bill_us": "bill_us",
            "strays": "strays",
        },
    }
