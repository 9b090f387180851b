"""Lab 3: poison. The queues, the worker's bad days and the way back are yours."""

import json
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pika


def declare(url):
    """Declare the queues "thumbnails" and "thumbnails.dead", and what you need between them."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("thumbnails", durable=True)
    channel.queue_declare("thumbnails.dead", durable=True)
    connection.close()


def run_worker(url, store):
    """Make a thumbnail of each document, until somebody ends this process."""
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()

    def on_message(channel, method, properties, body):
        document = json.loads(body)["document"]
        keep(db, document, render(store, document))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("thumbnails", on_message, auto_ack=False)
    channel.start_consuming()


def replay(url):
    """Send each message in "thumbnails.dead" back to "thumbnails" once, then return."""
    print("nothing is sent back yet")


def keep(db, document, thumbnail):
    """Keep a thumbnail, in place of an older one."""
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
