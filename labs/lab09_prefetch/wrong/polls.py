"""Asks for one event after the other.

Breaks: b (polling), f (polling)
"""

import json
import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    db = sqlite3.connect(store, isolation_level=None)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=False)
        if method is None:
            connection.sleep(0.01)
            continue
        make_thumbnail(db, json.loads(body), service_time_s)
        channel.basic_ack(method.delivery_tag)


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
