"""Lab 9: a window for each worker. Write `run_worker`; `make_thumbnail` is the work, as it is."""

import sqlite3
import time

import pika


def run_worker(url, store, queue, service_time_s, round_trip_s):
    """Make thumbnails for the events in a queue until somebody ends this process."""
    db = sqlite3.connect(store, isolation_level=None)  # each statement commits by itself
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    print("no event is taken yet:", db, channel, queue, service_time_s, round_trip_s)


def make_thumbnail(db, event, service_time_s):
    """Do the work on {"type": "document.created", "document": "plan-7"}; twice does no harm."""
    time.sleep(service_time_s)  # the work
    db.execute("INSERT OR IGNORE INTO thumbnails VALUES (?)", (event["document"],))
