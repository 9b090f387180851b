"""One queue, and four workers that take from it.

Breaks: b (queue-orders-workers)
Not seen: d, e, f, g, h
"""

import json
import sqlite3

import pika

ARGUMENTS = {"x-queue-type": "quorum"}


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("documents", durable=True, arguments=ARGUMENTS)
    connection.close()


def publish(url, events):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for event in events:
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        body = json.dumps(event)
        channel.basic_publish("", "documents", body, properties, mandatory=True)
    connection.close()


def run_worker(url, store, number):
    db = sqlite3.connect(store)
    db.execute("CREATE UNIQUE INDEX IF NOT EXISTS once ON done (document, version)")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=3)

    def on_message(channel, method, properties, body):
        handle(db, json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("documents", on_message, auto_ack=False)
    channel.start_consuming()


def handle(db, event):
    with db:
        db.execute(
            "INSERT OR IGNORE INTO done (document, version) VALUES (?, ?)",
            (event["document"], event["version"]),
        )
