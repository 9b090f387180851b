"""Batches of what is there, each with one commit and one ack; goes on when the store fails."""

import json
import sqlite3

import pika


def run_search(url, store):
    serve(url, store, "documents", "document.#", "INSERT INTO search VALUES (:event, :about)")


def run_audit(url, store):
    serve(url, store, "journal", "#", "INSERT INTO audit VALUES (:event, :type)")


def serve(url, store, queue, key, sql):
    db = sqlite3.connect(store)
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.basic_qos(prefetch_count=2)
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(queue, "events", key)
    batch, last = [], 0
    for method, _, body in channel.consume(queue, inactivity_timeout=0.1):
        if method is not None:
            batch.append(json.loads(body))
            last = method.delivery_tag
        if batch and (method is None or len(batch) == 2):
            try:
                with db:
                    for event in batch:
                        db.execute(sql, event)
            except sqlite3.OperationalError:
                channel.basic_nack(last, multiple=True, requeue=True)
            else:
                channel.basic_ack(last, multiple=True)
            batch.clear()
