"""Acks several at once where the window has room for it, and the rest as soon as it is idle."""

import json
import math
import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    db = sqlite3.connect(store, isolation_level=None)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    needed = math.ceil(1 + round_trip_s / service_time_s)
    batch = max(1, needed // 4)
    channel.basic_qos(prefetch_count=needed + batch - 1)
    unacked = []
    for method, _, body in channel.consume(queue, auto_ack=False, inactivity_timeout=0.1):
        if method is not None:
            make_thumbnail(db, json.loads(body), service_time_s)
            unacked.append(method.delivery_tag)
        if unacked and (method is None or len(unacked) == batch):
            channel.basic_ack(unacked[-1], multiple=True)
            unacked.clear()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
