"""The consumer connects anew after five seconds; the queue is bounded, and refuses.

The publisher leaves what is refused for the next run, and goes on with the next payment.
"""

import json
import sqlite3
import time

import pika
from pika.exceptions import AMQPError, NackError, UnroutableError

PAUSE_S = 5.0


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(
        "receipts", durable=True, arguments={"x-max-length": 5_000, "x-overflow": "reject-publish"}
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
        try:
            channel.basic_publish("", "receipts", body, properties, mandatory=True)
        except (NackError, UnroutableError) as error:
            print("left for the next run:", payment, error)
            continue
        with db:
            db.execute("UPDATE outbox SET sent = 1 WHERE payment = ?", (payment,))
    connection.close()


def run_consumer(url, store):
    db = sqlite3.connect(store)
    while True:
        try:
            consume(url, db)
        except AMQPError as error:
            print("connecting anew after:", error)
            time.sleep(PAUSE_S)


def consume(url, db):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        for method, _, body in channel.consume("receipts"):
            event = json.loads(body)
            with db:
                db.execute("INSERT INTO receipts VALUES (?, ?)", (event["payment"], event["cents"]))
            channel.basic_ack(method.delivery_tag)
