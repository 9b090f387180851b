"""Closes its connection when it is asked to end, as one should.

Breaks: f (polite-is-safer)
"""

import json
import signal
import sqlite3
import sys

import pika

SHARDS = 4
ARGUMENTS = {"x-queue-type": "quorum", "x-single-active-consumer": True}


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.exchange_declare("documents", "x-consistent-hash", durable=True)
    for number in range(SHARDS):
        channel.queue_declare(f"documents-{number}", durable=True, arguments=ARGUMENTS)
        channel.queue_bind(f"documents-{number}", "documents", routing_key="1")  # the weight
    connection.close()


def publish(url, events):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for event in events:
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        body = json.dumps(event)
        channel.basic_publish("documents", event["document"], body, properties, mandatory=True)
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

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    channel.basic_consume(f"documents-{number}", on_message, auto_ack=False)
    try:
        channel.start_consuming()
    except SystemExit:
        connection.close()
        raise


def handle(db, event):
    with db:
        db.execute(
            "INSERT OR IGNORE INTO done (document, version) VALUES (?, ?)",
            (event["document"], event["version"]),
        )
