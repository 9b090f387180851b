"""The whole outbox first, then one note for all of it; persistent messages on a classic queue.

Errors of the broker are met where they happen: connect anew, and begin again with what is unsent.
The consumer counts each payment once, although it need not.
"""

import json
import sqlite3
import time

import pika
from pika.exceptions import AMQPError

PAUSE_S = 0.1


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("receipts", durable=True, arguments={"x-queue-type": "classic"})
    connection.close()


def run_publisher(url, store):
    db = sqlite3.connect(store)
    while True:
        rows = db.execute("SELECT payment, cents FROM outbox WHERE NOT sent").fetchall()
        try:
            send(url, rows)
        except AMQPError as error:
            print("sending again after:", error)
            time.sleep(PAUSE_S)
            continue
        with db:
            db.executemany(
                "UPDATE outbox SET sent = 1 WHERE payment = ?", [row[:1] for row in rows]
            )
        return


def send(url, rows):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for payment, cents in rows:
            properties = pika.BasicProperties(message_id=payment, delivery_mode=2)
            body = json.dumps({"payment": payment, "cents": cents})
            channel.basic_publish("", "receipts", body, properties, mandatory=True)


def run_consumer(url, store):
    db = sqlite3.connect(store)
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS done (payment TEXT PRIMARY KEY)")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=5)
    for method, _, body in channel.consume("receipts", auto_ack=False):
        event = json.loads(body)
        with db:
            new = db.execute(
                "INSERT INTO done VALUES (?) ON CONFLICT DO NOTHING", [event["payment"]]
            )
            if new.rowcount:
                row = (event["payment"], event["cents"])
                db.execute("INSERT INTO receipts VALUES (?, ?)", row)
        channel.basic_ack(method.delivery_tag)
