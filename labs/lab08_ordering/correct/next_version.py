"""One queue for all, and the store says whose turn it is: a version goes in after the one before.

Whoever comes too early gives its event back and waits a moment.
"""

import json
import sqlite3

import pika

PAUSE_S = 0.02
ADD_NEXT = """
    INSERT INTO done (document, version) SELECT :document, :version
    WHERE :version = 1 + (SELECT COALESCE(MAX(version), 0) FROM done WHERE document = :document)
"""


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("events", durable=True, arguments={"x-queue-type": "classic"})
    connection.close()


def publish(url, events):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for event in events:
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        channel.basic_publish("", "events", json.dumps(event), properties, mandatory=True)
    connection.close()


def run_worker(url, store, number):
    db = sqlite3.connect(store, isolation_level=None)  # each statement commits itself
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        event = json.loads(body)
        if db.execute(ADD_NEXT, event).rowcount or event["version"] <= newest(db, event):
            channel.basic_ack(method.delivery_tag)
        else:
            connection.sleep(PAUSE_S)
            channel.basic_nack(method.delivery_tag, requeue=True)

    channel.basic_consume("events", on_message, auto_ack=False)
    channel.start_consuming()


def newest(db, event):
    newest_one = "SELECT COALESCE(MAX(version), 0) FROM done WHERE document = ?"
    return db.execute(newest_one, [event["document"]]).fetchone()[0]
