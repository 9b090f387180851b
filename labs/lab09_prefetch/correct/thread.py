"""The work is in a thread of its own, so that heartbeats go on while it lasts."""

import json
import math
import sqlite3
import threading
import time
from functools import partial
from queue import SimpleQueue

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    todo = SimpleQueue()

    def work():
        db = sqlite3.connect(store, isolation_level=None)
        while True:
            tag, body = todo.get()
            settle = partial(channel.basic_ack, tag)
            try:
                make_thumbnail(db, json.loads(body), service_time_s)
            except sqlite3.Error:
                settle = partial(channel.basic_nack, tag, requeue=True)
            connection.add_callback_threadsafe(settle)

    def on_message(channel, method, properties, body):
        todo.put((method.delivery_tag, body))

    threading.Thread(target=work, daemon=True).start()
    on_their_way = math.ceil(round_trip_s / service_time_s)
    channel.basic_qos(prefetch_count=1 + on_their_way)
    channel.basic_consume(queue, on_message, auto_ack=False)
    channel.start_consuming()


def make_thumbnail(db, event, service_time_s):
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
