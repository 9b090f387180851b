"""Three tries in a row during one delivery: each is noted in the store before it begins."""

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
    channel.exchange_declare("dead-letters", "direct", durable=True)
    channel.queue_declare("thumbnails.dead", durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind("thumbnails.dead", "dead-letters", "thumbnails")
    arguments = {
        "x-queue-type": "classic",
        "x-dead-letter-exchange": "dead-letters",
        "x-dead-letter-routing-key": "thumbnails",
    }
    channel.queue_declare("thumbnails", durable=True, arguments=arguments)
    connection.close()


def run_worker(url, store):
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=5)
    channel.confirm_delivery()
    with db:
        db.execute(
            "CREATE TABLE IF NOT EXISTS tries"
            " (document TEXT, round INTEGER, number INTEGER, PRIMARY KEY (document, round))"
        )

    def on_message(channel, method, properties, body):
        document = json.loads(body)["document"]
        again = (properties.headers or {}).get("round", 0)
        while next_try(db, document, again) <= 3:
            try:
                thumbnail = render(store, document)
            except ValueError:
                continue
            keep(db, document, thumbnail)
            channel.basic_ack(method.delivery_tag)
            return
        bury(channel, method, properties, body)

    channel.basic_consume("thumbnails", on_message, auto_ack=False)
    channel.start_consuming()


def bury(channel, method, properties, body):
    headers = (properties.headers or {}) | {"x-reason": "three tries"}
    copy = pika.BasicProperties(delivery_mode=2, headers=headers)
    channel.basic_publish("", "thumbnails.dead", body, copy)
    channel.basic_ack(method.delivery_tag)


def next_try(db, document, again):
    """Note a try, each replay on a count of its own, and return its number."""
    with db:
        db.execute(
            "INSERT INTO tries VALUES (?, ?, 1)"
            " ON CONFLICT (document, round) DO UPDATE SET number = number + 1",
            (document, again),
        )
    query = "SELECT number FROM tries WHERE document = ? AND round = ?"
    return db.execute(query, (document, again)).fetchone()[0]


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
        properties.headers["round"] = properties.headers.get("round", 0) + 1
        channel.basic_publish("", "thumbnails", body, properties, mandatory=True)
        channel.basic_ack(method.delivery_tag)
    connection.close()
