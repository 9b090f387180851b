"""A durable queue for each service, and a service that connects again five seconds later."""

import json
import sqlite3
import time

import pika
from pika.exceptions import AMQPError

SEARCH = "INSERT INTO search VALUES (:event, :about)"
AUDIT = "INSERT INTO audit VALUES (:event, :type)"


def run_search(url, store):
    keep_running(url, store, "search-events", ["document", "document.#"], SEARCH)


def run_audit(url, store):
    keep_running(url, store, "audit-events", ["#"], AUDIT)


def keep_running(*arguments):
    while True:
        try:
            serve(*arguments)
        except AMQPError as error:
            print("connecting again after", repr(error))
            time.sleep(5)


def serve(url, store, queue, keys, sql):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    channel.exchange_declare("events", "topic", durable=True)
    channel.queue_declare(queue, durable=True)
    for key in keys:
        channel.queue_bind(queue, "events", key)

    def on_event(channel, method, properties, body):
        db.execute(sql, json.loads(body))
        db.commit()
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(queue, on_event)
    channel.start_consuming()
