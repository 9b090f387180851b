"""Logs an error of the broker, and goes on with the next payment.

Breaks: b (error-passed-over), c (error-passed-over), d (error-passed-over),
f (error-passed-over)
"""

import json
import sqlite3

import pika
from pika.exceptions import AMQPError


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("receipts", durable=True, arguments={"x-queue-type": "quorum"})
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
        try:
            channel.basic_publish("", "receipts", body, properties, mandatory=True)
        except AMQPError as error:
            print("not sent:", payment, error)
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
