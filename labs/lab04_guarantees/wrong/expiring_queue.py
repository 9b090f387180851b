"""Has the queue removed after ten minutes without a consumer.

Breaks: g (queue-stays)
"""

import json
import sqlite3

import pika


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(
        "receipts", durable=True, arguments={"x-queue-type": "quorum", "x-expires": 600_000}
    )
    connection.close()


def run_publisher(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    rows = db.execute("SELECT payment, cents FROM outbox WHERE NOT sent").fetchall()
    for payment, cents in rows:
        properties = pika.BasicProperties(message_id=payment, delivery_mode=2)
        body = json.dumps({"payment": payment, "cents": cents})
        channel.basic_publish("", "receipts", body, properties, mandatory=True)
        with db:
            db.execute("UPDATE outbox SET sent = 1 WHERE payment = ?", (payment,))
    connection.close()


def run_consumer(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=10)

    def on_message(channel, method, properties, body):
        event = json.loads(body)
        with db:
            db.execute("INSERT INTO receipts VALUES (?, ?)", (event["payment"], event["cents"]))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("receipts", on_message, auto_ack=False)
    channel.start_consuming()
