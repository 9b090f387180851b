"""Acks four events at a time.

Breaks: a (ack-in-batches), e (ack-in-batches)
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
    done = 0

    def on_message(channel, method, properties, body):
        nonlocal done
        make_thumbnail(db, json.loads(body), service_time_s)
        done += 1
        if done % 4 == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)

    channel.basic_consume(queue, on_message, auto_ack=False)
    channel.start_consuming()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
