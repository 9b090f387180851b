"""Each service has an exchange of its own, bound to the bus, and a quorum queue behind it."""

import json
import sqlite3

import pika


def run_search(url, store):
    keep = "INSERT INTO search (event, document) VALUES (:event, :about)"
    serve(url, store, keep, "search", "document.#")


def run_audit(url, store):
    keep = "INSERT INTO audit (event, type) VALUES (:event, :type)"
    serve(url, store, keep, "audit", "#")


def serve(url, store, keep, name, key):
    db = sqlite3.connect(store, isolation_level=None)
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.exchange_declare(name, "fanout", durable=True)
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(name, name)
    channel.exchange_bind(name, "events", key)
    channel.basic_qos(prefetch_count=5)
    for method, _, body in channel.consume(name, auto_ack=False):
        db.execute(keep, json.loads(body))
        channel.basic_ack(method.delivery_tag)
