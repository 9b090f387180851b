"""Reads a balance, and then writes the sum.

Breaks: f (check-then-insert)
"""

import json
import sqlite3

import pika


def run_worker(url, store):
    db = sqlite3.connect(store)
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (payment TEXT PRIMARY KEY)")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        handle(db, json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("payments", on_message, auto_ack=False)
    channel.start_consuming()


def handle(db, event):
    if event["type"] == "account.status":
        set_status(db, event)
        return
    row = db.execute("SELECT cents FROM balances WHERE account = :account", event).fetchone()
    cents = (row[0] if row else 0) + event["cents"]
    try:
        with db:
            db.execute("INSERT INTO seen VALUES (:payment)", event)
            db.execute("REPLACE INTO balances VALUES (?, ?)", (event["account"], cents))
    except sqlite3.IntegrityError:
        pass  # counted before


def set_status(db, event):
    with db:
        db.execute(
            "INSERT INTO accounts VALUES (:account, :status, :version)"
            " ON CONFLICT (account) DO UPDATE"
            " SET status = excluded.status, version = excluded.version"
            " WHERE excluded.version > accounts.version",
            event,
        )
