"""Holds the right number, and returns when nothing has come for a while, longer far away.

Breaks: e (empty-is-over)
Not seen: f
"""

import json
import math
import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    db = sqlite3.connect(store, isolation_level=None)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=math.ceil(1 + round_trip_s / service_time_s))

    idle_s = 0.3 + 20 * round_trip_s
    for method, _, body in channel.consume(queue, auto_ack=False, inactivity_timeout=idle_s):
        if method is None:
            break
        make_thumbnail(db, json.loads(body), service_time_s)
        channel.basic_ack(method.delivery_tag)
    connection.close()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
