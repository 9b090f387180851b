"""Holds the right number, and works on all that it holds at once.

Breaks: c (parallel-is-free), d (parallel-is-free)
"""

import json
import math
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    pool = ThreadPoolExecutor(4)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=math.ceil(1 + round_trip_s / service_time_s))

    def work(channel, tag, body):
        db = sqlite3.connect(store, isolation_level=None)
        settle = channel.basic_ack
        try:
            make_thumbnail(db, json.loads(body), service_time_s)
        except sqlite3.Error:
            settle = channel.basic_nack  # with requeue
        connection.add_callback_threadsafe(partial(settle, tag))

    def on_message(channel, method, properties, body):
        pool.submit(work, channel, method.delivery_tag, body)

    channel.basic_consume(queue, on_message, auto_ack=False)
    channel.start_consuming()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
