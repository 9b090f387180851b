"""Reads two queues for search, and some events fit both.

Breaks: a (two-queues), d (two-queues), e (two-queues)
Not seen: f
"""

import json
import sqlite3

import pika


def run_search(url, store):
    sql = "INSERT INTO search (event, document) VALUES (:event, :about)"
    serve(url, store, sql, "search", ["document.#", "document.created"])


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

    for key in keys:
        name = f"{queue} {key}"
        channel.queue_declare(name, durable=True)
        channel.queue_bind(name, "events", key)
    for key in keys:
        channel.basic_consume(f"{queue} {key}", on_event, auto_ack=False)
    channel.start_consuming()
