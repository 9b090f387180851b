"""The queues go when nobody has read them for ten minutes.

Breaks: d (queue-stays)
"""

import json
import sqlite3

import pika


def run_search(url, store):
    sql = "INSERT INTO search (event, document) VALUES (:event, :about)"
    serve(url, store, sql, "search", ["document.#"])


def run_audit(url, store):
    sql = "INSERT INTO audit (event, type) VALUES (:event, :type)"
    serve(url, store, sql, "audit", ["#"])


def serve(url, store, sql, queue, keys):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def on_event(channel, method, properties, body):
        with db:
            db.execute(sql, json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.queue_declare(queue, durable=True, arguments={"x-expires": 600_000})
    for key in keys:
        channel.queue_bind(queue, "events", key)
    channel.basic_consume(queue, on_event, auto_ack=False)
    channel.start_consuming()
