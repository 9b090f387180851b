"""Lab 4: nothing is lost. It runs as it is, as long as nothing fails."""

import json
import sqlite3

import pika


def declare(url):
    """Declare the queue "receipts"; called before anything else."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("receipts", durable=True, arguments={"x-queue-type": "classic"})
    connection.close()


def run_publisher(url, store):
    """Send every payment of the outbox that is not sent yet, and return."""
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    rows = db.execute("SELECT payment, cents FROM outbox WHERE NOT sent").fetchall()
    for payment, cents in rows:
        properties = pika.BasicProperties(message_id=payment)
        body = json.dumps({"payment": payment, "cents": cents})
        channel.basic_publish("", "receipts", body, properties)
        db.execute("UPDATE outbox SET sent = 1 WHERE payment = ?", (payment,))
        db.commit()
    connection.close()


def run_consumer(url, store):
    """Write a receipt for each payment of the queue, until somebody ends this process."""
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def on_message(channel, method, properties, body):
        event = json.loads(body)
        db.execute("INSERT INTO receipts VALUES (?, ?)", (event["payment"], event["cents"]))
        db.commit()

    channel.basic_consume("receipts", on_message, auto_ack=True)
    channel.start_consuming()
