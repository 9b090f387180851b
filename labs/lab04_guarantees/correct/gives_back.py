"""The consumer gives back what it could not write, and writes receipts in a thread of its own."""

import functools
import json
import queue
import sqlite3
import threading

import pika


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("receipts", durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()


def run_publisher(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    rows = db.execute("SELECT payment, cents FROM outbox WHERE NOT sent").fetchall()
    for payment, cents in rows:
        properties = pika.BasicProperties(message_id=payment, delivery_mode=2)
        body = json.dumps({"payment": payment, "cents": cents})
        channel.basic_publish("", "receipts", body, properties, mandatory=True)
        with db:
            db.execute("UPDATE outbox SET sent = 1 WHERE payment = ?", (payment,))
    connection.close()


def run_consumer(url, store):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    jobs = queue.Queue()
    threading.Thread(target=write, args=(connection, channel, jobs, store), daemon=True).start()

    def on_message(channel, method, properties, body):
        jobs.put((method.delivery_tag, json.loads(body)))

    channel.basic_consume("receipts", on_message)
    channel.start_consuming()


def write(connection, channel, jobs, store):
    db = sqlite3.connect(store)
    while True:
        tag, event = jobs.get()
        try:
            with db:
                db.execute("INSERT INTO receipts VALUES (:payment, :cents)", event)
            settle = channel.basic_ack
        except sqlite3.Error as error:
            print("given back:", event, error)
            settle = channel.basic_nack
        connection.add_callback_threadsafe(functools.partial(settle, tag))
