"""Opens its connection at the start and never again.

Breaks: f (connection-lasts)
"""

import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pika
import uvicorn
from fastapi import FastAPI, HTTPException

DEADLINE_S = 2


class Publisher:
    """Publishes on a thread of its own, over a connection that is made anew when it breaks."""

    def __init__(self, url):
        self.parameters = pika.URLParameters(url)
        self.parameters.heartbeat = 2
        self.parameters.socket_timeout = self.parameters.stack_timeout = 2
        self.connection = self.channel = None
        self.thread = ThreadPoolExecutor(1)

    def publish(self, document):
        sent = self.thread.submit(self._publish, document)
        try:
            sent.result(DEADLINE_S)
        finally:
            sent.cancel()

    def _publish(self, document):
        if self.connection is None:
            self.connection = pika.BlockingConnection(self.parameters)
            self.channel = self.connection.channel()
            self.channel.confirm_delivery()
        properties = pika.BasicProperties(message_id=document, delivery_mode=2)
        self.channel.basic_publish("", "jobs", document, properties, mandatory=True)


def run_web(url, store, port):
    app, publisher = FastAPI(), Publisher(url)

    @app.post("/thumbnails/{document}", status_code=202)
    def post(document: str):
        with closing(sqlite3.connect(store)) as db, db:
            db.execute("INSERT OR IGNORE INTO jobs VALUES (?, 'waiting')", (document,))
        try:
            publisher.publish(document)
        except Exception:
            raise HTTPException(503, headers={"Retry-After": "5"}) from None

    @app.get("/thumbnails/{document}")
    def get(document: str):
        with closing(sqlite3.connect(store)) as db:
            rows = db.execute("SELECT state FROM jobs WHERE document = ?", (document,)).fetchall()
        if not rows:
            raise HTTPException(404)
        return {"state": rows[0][0]}

    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def run_worker(url, store):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    busy, stopping = [], []

    def finish(tag):
        busy.clear()
        if stopping:
            channel.stop_consuming()
        channel.basic_ack(tag)

    def give_back(tag):
        busy.clear()
        channel.basic_nack(tag, requeue=True)

    def work(tag, document):
        try:
            with closing(sqlite3.connect(store)) as db, db:
                make_thumbnail(db, document)
        except sqlite3.Error:
            connection.add_callback_threadsafe(lambda: give_back(tag))
            raise
        connection.add_callback_threadsafe(lambda: finish(tag))

    def on_job(channel, method, properties, body):
        busy.append(method.delivery_tag)
        threading.Thread(target=work, args=(method.delivery_tag, body.decode())).start()

    def stop():
        stopping.append(True)
        if not busy:
            channel.stop_consuming()

    signal.signal(signal.SIGTERM, lambda *_: connection.add_callback_threadsafe(stop))
    channel.basic_consume("jobs", on_job, auto_ack=False)
    channel.start_consuming()
    connection.close()


def make_thumbnail(db, document):
    time.sleep(0.05)
    db.execute("INSERT INTO thumbnails VALUES (?)", (document,))
    db.execute("UPDATE jobs SET state = 'done' WHERE document = ?", (document,))
