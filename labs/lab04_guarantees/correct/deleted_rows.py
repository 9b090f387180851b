"""A row leaves the outbox when its payment is in the queue; the consumer looks when it likes.

The queue is a quorum queue, so messages are kept although they are not published as persistent.
"""

import json
import sqlite3

import pika

PAUSE_S = 0.02


def declare(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        open_channel(connection)


def open_channel(connection):
    channel = connection.channel()
    channel.queue_declare("receipts", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    return channel


def run_publisher(url, store):
    db = sqlite3.connect(store)
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = open_channel(connection)
        while row := db.execute("SELECT payment, cents FROM outbox LIMIT 1").fetchone():
            body = json.dumps(dict(zip(("payment", "cents"), row, strict=True)))
            properties = pika.BasicProperties(message_id=row[0])
            channel.basic_publish("", "receipts", body, properties, mandatory=True)
            db.execute("DELETE FROM outbox WHERE payment = ?", row[:1])
            db.commit()


def run_consumer(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = open_channel(connection)
    while True:
        method, _, body = channel.basic_get("receipts", auto_ack=False)
        if method is None:
            connection.sleep(PAUSE_S)
            continue
        event = json.loads(body)
        db.execute("INSERT INTO receipts VALUES (?, ?)", (event["payment"], event["cents"]))
        db.commit()
        channel.basic_ack(method.delivery_tag)
