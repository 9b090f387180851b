"""Acks three events at once, fewer when it is idle, and writes again what comes again.

Breaks: d (batch-of-acks), g (cut-off-has-stopped)
"""

import json
import sqlite3

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
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=3)

    unacked, queue = [], f"documents-{number}"
    for method, _, body in channel.consume(queue, auto_ack=False, inactivity_timeout=0.5):
        if method is not None:
            handle(db, json.loads(body))
            unacked.append(method.delivery_tag)
        if unacked and (method is None or len(unacked) == 3):
            channel.basic_ack(unacked[-1], multiple=True)
            unacked.clear()


def handle(db, event):
    with db:
        db.execute(
            "INSERT INTO done (document, version) VALUES (?, ?)",
            (event["document"], event["version"]),
        )
