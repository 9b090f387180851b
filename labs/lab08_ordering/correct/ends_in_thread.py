"""Asked to end, it finishes the event in its thread and hangs up: nobody is told before."""

import json
import os
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pika

SHARDS = 4
ARGUMENTS = {"x-queue-type": "quorum", "x-single-active-consumer": True}


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.exchange_declare("documents", "x-consistent-hash", durable=True)
    for number in range(SHARDS):
        channel.queue_declare(f"documents-{number}", durable=True, arguments=ARGUMENTS)
        channel.queue_bind(f"documents-{number}", "documents", routing_key="1")  # the weight
    connection.close()


def publish(url, events):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for event in events:
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        body = json.dumps(event)
        channel.basic_publish("documents", event["document"], body, properties, mandatory=True)
    connection.close()


def run_worker(url, store, number):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    pool, at_hand, ending = ThreadPoolExecutor(max_workers=1), [], []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))

    def on_message(channel, method, properties, body):
        at_hand.append(method.delivery_tag)
        work = pool.submit(handle, store, json.loads(body))
        work.add_done_callback(lambda _: connection.add_callback_threadsafe(partial(done, work)))

    def done(work):
        work.result()  # raises the error of the work, if there was one
        channel.basic_ack(at_hand.pop())
        if ending:
            os._exit(0)

    channel.basic_consume(f"documents-{number}", on_message, auto_ack=False)
    while at_hand or not ending:
        connection.process_data_events(time_limit=0.05)


def handle(store, event):
    with sqlite3.connect(store) as db:
        db.execute(
            "INSERT INTO done (document, version) SELECT :document, :version WHERE NOT EXISTS"
            " (SELECT 1 FROM done WHERE document = :document AND version >= :version)",
            event,
        )
