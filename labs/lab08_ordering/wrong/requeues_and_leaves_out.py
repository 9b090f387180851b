"""Gives an event back that could not be written, and leaves out what then comes too late.

Breaks: d (requeue-keeps-place)
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

    def on_message(channel, method, properties, body):
        try:
            handle(db, json.loads(body))
        except sqlite3.OperationalError:
            channel.basic_nack(method.delivery_tag, requeue=True)
        else:
            channel.basic_ack(method.delivery_tag)

    channel.basic_consume(f"documents-{number}", on_message, auto_ack=False)
    channel.start_consuming()


def handle(db, event):
    with db:
        db.execute(
            "INSERT INTO done (document, version) SELECT :document, :version WHERE NOT EXISTS"
            " (SELECT 1 FROM done WHERE document = :document AND version >= :version)",
            event,
        )
