"""Starts slowly, and gives back what could not be written: here the order does not matter."""

import json
import math
import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    db = sqlite3.connect(store, isolation_level=None)
    time.sleep(1.5)  # a slow start
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=math.ceil(1 + round_trip_s / service_time_s))

    def on_message(channel, method, properties, body):
        try:
            make_thumbnail(db, json.loads(body), service_time_s)
        except sqlite3.OperationalError:
            channel.basic_nack(method.delivery_tag, requeue=True)
        else:
            channel.basic_ack(method.delivery_tag)

    channel.basic_consume(queue, on_message, auto_ack=False)
    channel.start_consuming()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
