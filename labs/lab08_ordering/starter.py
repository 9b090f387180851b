"""Lab 8: four workers and one queue. Every event is worked on; but in which order?"""

import json
import sqlite3

import pika


def declare(url):
    """Declare exchanges and queues; called before anything else."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("documents", durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()


def publish(url, events):
    """Publish a list of events in this order, and return.

    {"id": "document-3/2", "type": "comment.added", "document": "document-3", "version": 2}
    """
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    for event in events:
        properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
        channel.basic_publish("", "documents", json.dumps(event), properties, mandatory=True)
    connection.close()


def run_worker(url, store, number):
    """Be worker 0, 1, 2 or 3, until somebody ends this process."""
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=3)

    def on_message(channel, method, properties, body):
        event = json.loads(body)
        with db:
            db.execute(
                "INSERT INTO done (document, version) VALUES (?, ?)",
                (event["document"], event["version"]),
            )
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("documents", on_message, auto_ack=False)
    channel.start_consuming()
