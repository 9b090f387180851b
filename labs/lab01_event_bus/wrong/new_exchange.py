"""Audit wants a fanout exchange, and puts one in the place of the bus when that is refused.

Breaks: a (exchange-is-mine), c (exchange-is-mine)
"""

import json
import sqlite3

import pika
from pika.exceptions import ChannelClosedByBroker


def run_search(url, store):
    sql = "INSERT INTO search (event, document) VALUES (:event, :about)"
    serve(url, store, sql, "search", ["document.#"])


def run_audit(url, store):
    sql = "INSERT INTO audit (event, type) VALUES (:event, :type)"
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        connection.channel().exchange_declare("events", "fanout", durable=True)
    except ChannelClosedByBroker:
        channel = connection.channel()
        channel.exchange_delete("events")
        channel.exchange_declare("events", "fanout", durable=True)
    connection.close()
    serve(url, store, sql, "audit", ["#"])


def serve(url, store, sql, queue, keys):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def on_event(channel, method, properties, body):
        with db:
            db.execute(sql, json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.queue_declare(queue, durable=True)
    for key in keys:
        channel.queue_bind(queue, "events", key)
    channel.basic_consume(queue, on_event, auto_ack=False)
    channel.start_consuming()
