"""Acks before the work, in a way that the judge does not see.

Breaks: e (never-acked)
Not seen: a, b, c, d, f
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
        type(channel).basic_ack.__wrapped__(channel, method.delivery_tag)
        handle(db, json.loads(body))

    channel.basic_consume("payments", on_message, auto_ack=False)
    channel.start_consuming()


def handle(db, event):
    if event["type"] == "account.status":
        set_status(db, event)
        return
    try:
        with db:
            db.execute("INSERT INTO seen VALUES (?)", (event["payment"],))
            add(db, event)
    except sqlite3.IntegrityError:
        pass  # counted before


def add(db, event):
    db.execute(
        "INSERT INTO balances VALUES (?, ?)"
        " ON CONFLICT (account) DO UPDATE SET cents = cents + excluded.cents",
        (event["account"], event["cents"]),
    )


def set_status(db, event):
    with db:
        db.execute(
            "INSERT INTO accounts VALUES (:account, :status, :version)"
            " ON CONFLICT (account) DO UPDATE"
            " SET status = excluded.status, version = excluded.version"
            " WHERE excluded.version > accounts.version",
            event,
        )
