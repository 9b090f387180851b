"""Lets documents wait for ten minutes at most.

Breaks: f (old-may-go)
"""

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pika


def declare(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("thumbnails.dead", durable=True, arguments={"x-queue-type": "quorum"})
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": 2,  # two times back: three tries
        "x-message-ttl": 600_000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "thumbnails.dead",
    }
    channel.queue_declare("thumbnails", durable=True, arguments=arguments)
    connection.close()


def run_worker(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        document = json.loads(body)["document"]
        try:
            thumbnail = render(store, document)
        except ValueError:
            channel.basic_reject(method.delivery_tag, requeue=True)
            return
        keep(db, document, thumbnail)
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("thumbnails", on_message, auto_ack=False)
    channel.start_consuming()


def keep(db, document, thumbnail):
    with db:
        db.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (document, thumbnail))


def render(store, document):
    """Make the thumbnail of a document; it stands for a library that is not yours.

    It notes each try. A corrupt PDF raises an error, a deadly one kills the process, and one that
    somebody else has open raises an error twice: the third try works. Leave it as it is.
    """
    tries = Path(f"{store}.tries")
    with tries.open("a") as notes:
        print(document, file=notes)
    with closing(sqlite3.connect(store)) as db:
        (pdf,) = db.execute("SELECT pdf FROM pdfs WHERE document = ?", (document,)).fetchone()
    if pdf == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if pdf == "corrupt" or (pdf == "locked" and tries.read_text().split().count(document) < 3):
        raise ValueError(f"cannot read the PDF of {document}: it is {pdf}")
    return f"thumbnail of {document}"


def replay(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    # Only as many as there are now: what fails again comes back while we work.
    letters = channel.queue_declare("thumbnails.dead", passive=True).method.message_count
    for _ in range(letters):
        method, properties, body = channel.basic_get("thumbnails.dead", auto_ack=False)
        if method is None:
            break
        channel.basic_publish("", "thumbnails", body, properties, mandatory=True)
        channel.basic_ack(method.delivery_tag)
    connection.close()
