"""Rolls back and puts a message back when the store fails; asks for one at a time."""

import json
import sqlite3

import pika


def run_worker(url, store):
    db = sqlite3.connect(store)
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS seen (payment TEXT PRIMARY KEY)")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    while True:
        method, _, body = channel.basic_get("payments")
        if method is None:
            connection.sleep(0.05)
            continue
        try:
            handle(db, json.loads(body))
        except sqlite3.OperationalError:
            db.rollback()
            channel.basic_nack(method.delivery_tag, requeue=True)
        else:
            channel.basic_ack(method.delivery_tag)


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
