"""Classes; what fails is tried again in its place, in the publisher and in the worker."""

import json
import sqlite3
import time
import zlib

import pika
from pika.exceptions import AMQPError

QUEUES = [f"order-{number}" for number in range(4)]
ARGUMENTS = {"x-queue-type": "quorum", "x-single-active-consumer": True}
PAUSE_S = 0.1


class Publisher:
    """Publishes one event after the other, each until the broker has it."""

    def __init__(self, url):
        self.url = url
        self.open()

    def open(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(self.url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def send(self, event):
        queue = QUEUES[zlib.adler32(event["document"].encode()) % len(QUEUES)]
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        while True:
            try:
                return self.channel.basic_publish("", queue, json.dumps(event), properties)
            except AMQPError:
                time.sleep(PAUSE_S)
                self.open()


class Worker:
    """Works on the events of one queue."""

    def __init__(self, store):
        self.db = sqlite3.connect(store, isolation_level=None, timeout=30)
        self.insist("CREATE UNIQUE INDEX IF NOT EXISTS once ON done (document, version)", ())

    def insist(self, sql, values):
        while True:
            try:
                return self.db.execute(sql, values)
            except sqlite3.OperationalError:
                time.sleep(PAUSE_S)

    def on_message(self, channel, method, properties, body):
        event = json.loads(body)
        row = (event["document"], event["version"])
        self.insist("INSERT OR IGNORE INTO done (document, version) VALUES (?, ?)", row)
        channel.basic_ack(method.delivery_tag)


def declare(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for queue in QUEUES:
            channel.queue_declare(queue, durable=True, arguments=ARGUMENTS)


def publish(url, events):
    publisher = Publisher(url)
    for event in events:
        publisher.send(event)
    publisher.connection.close()


def run_worker(url, store, number):
    worker = Worker(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=10)
    channel.basic_consume(QUEUES[number], worker.on_message)
    channel.start_consuming()
