"""The publisher chooses the queue, its consumer is exclusive, and only newer versions are written.

A worker that is refused because another one has its queue tries again. One that is asked to end
finishes the event in hand and hangs up without cancelling, so that what it holds returns in place.
"""

import json
import os
import signal
import sqlite3
import zlib

import pika
from pika.exceptions import ChannelClosedByBroker

SHARDS = 4
PAUSE_S = 0.05
ACCESS_REFUSED = 403


def queue_of(number):
    return f"index-{number}"


def declare(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for number in range(SHARDS):
            kind = {"x-queue-type": "classic"}
            channel.queue_declare(queue_of(number), durable=True, arguments=kind)


def publish(url, events):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for event in events:
            queue = queue_of(zlib.crc32(event["document"].encode()) % SHARDS)
            properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
            channel.basic_publish("", queue, json.dumps(event), properties, mandatory=True)


def run_worker(url, store, number):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))

    def on_message(channel, method, properties, body):
        handle(db, json.loads(body))
        channel.basic_ack(method.delivery_tag)
        if ending:
            os._exit(0)

    subscribe(connection, queue_of(number), on_message).start_consuming()


def subscribe(connection, queue, on_message):
    while True:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=5)
        try:
            channel.basic_consume(queue, on_message, auto_ack=False, exclusive=True)
        except ChannelClosedByBroker as error:
            if error.reply_code != ACCESS_REFUSED:
                raise
            connection.sleep(PAUSE_S)
        else:
            return channel


def handle(db, event):
    with db:
        db.execute(
            "INSERT INTO done (document, version) SELECT :document, :version WHERE NOT EXISTS"
            " (SELECT 1 FROM done WHERE document = :document AND version >= :version)",
            event,
        )
