"""A generator instead of a callback, and half a round trip to spare."""

import json
import math
import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    db = sqlite3.connect(store, isolation_level=None)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    spare = 1.5  # times the round trip, which is not always the same
    channel.basic_qos(prefetch_count=math.ceil(1 + spare * round_trip_s / service_time_s))
    for method, _, body in channel.consume(queue, auto_ack=False):
        make_thumbnail(db, json.loads(body), service_time_s)
        channel.basic_ack(method.delivery_tag)


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
