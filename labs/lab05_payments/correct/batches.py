"""Batches in one transaction each, with one ack for all of a batch."""

import json
import sqlite3

import pika


def run_worker(url, store):
    db = sqlite3.connect(store, isolation_level=None)
    db.execute("CREATE TABLE IF NOT EXISTS counted (payment TEXT NOT NULL UNIQUE)")
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.basic_qos(prefetch_count=10)
    batch, last = [], 0
    for method, _, body in channel.consume("payments", inactivity_timeout=0.1):
        if method is not None:
            batch.append(json.loads(body))
            last = method.delivery_tag
        if batch and (method is None or len(batch) == 10):
            db.execute("BEGIN IMMEDIATE")
            for event in batch:
                if event["type"] == "payment.captured":
                    count(db, event)
                else:
                    set_status(db, event)
            db.execute("COMMIT")
            channel.basic_ack(last, multiple=True)
            batch.clear()


def count(db, event):
    if db.execute("INSERT OR IGNORE INTO counted VALUES (:payment)", event).rowcount:
        row = db.execute("SELECT cents FROM balances WHERE account = :account", event).fetchone()
        cents = (row[0] if row else 0) + event["cents"]
        db.execute("REPLACE INTO balances VALUES (?, ?)", (event["account"], cents))


def set_status(db, event):
    row = db.execute("SELECT version FROM accounts WHERE account = :account", event).fetchone()
    if row is None or row[0] < event["version"]:
        db.execute("REPLACE INTO accounts VALUES (:account, :status, :version)", event)
