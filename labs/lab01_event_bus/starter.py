"""Lab 1: two more services on the bus. `subscribe` is yours, and the rest as far as you need."""

import json
import sqlite3

import pika


def run_search(url, store):
    """Keep a row for each event about a document, until somebody ends this process."""
    serve(url, store, "INSERT INTO search (event, document) VALUES (:event, :about)")


def run_audit(url, store):
    """Keep a row for each event, until somebody ends this process."""
    serve(url, store, "INSERT INTO audit (event, type) VALUES (:event, :type)")


def serve(url, store, sql):
    """Keep a row for each event that this service gets."""
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def on_event(channel, method, properties, body):
        with db:
            db.execute(sql, json.loads(body))

    subscribe(channel, on_event)
    channel.start_consuming()


def subscribe(channel, on_event):
    """Let `on_event` be called for each event that this service needs."""
    print("not subscribed to anything yet")
