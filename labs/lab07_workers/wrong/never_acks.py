"""The worker forgets to ack.

Breaks: d (never-acked), e (never-acked)
"""

import signal
import sqlite3
import threading
import time
from contextlib import closing

import pika
import uvicorn
from fastapi import FastAPI, HTTPException


def run_web(url, store, port):
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS outbox (document TEXT)")
    threading.Thread(target=relay, args=(url, store), daemon=True).start()
    app = FastAPI()

    @app.post("/thumbnails/{document}", status_code=202)
    def post(document: str):
        with closing(sqlite3.connect(store)) as db, db:
            db.execute("INSERT OR IGNORE INTO jobs VALUES (?, 'waiting')", (document,))
            db.execute("INSERT INTO outbox VALUES (?)", (document,))

    @app.get("/thumbnails/{document}")
    def get(document: str):
        return {"state": state_of(store, document)}

    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def state_of(store, document):
    with closing(sqlite3.connect(store)) as db:
        rows = db.execute("SELECT state FROM jobs WHERE document = ?", (document,)).fetchall()
    if not rows:
        raise HTTPException(404)
    return rows[0][0]


def relay(url, store):
    """Publish what is in the outbox; delete it only once it is confirmed."""
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 2  # a broker that falls silent is noticed
    pause = threading.Event()
    while not pause.wait(0.1):
        try:
            with closing(sqlite3.connect(store)) as db:
                publish_all(db, pika.BlockingConnection(parameters))
        except Exception as error:
            print("the broker is away:", repr(error))


def publish_all(db, connection):
    channel = connection.channel()
    channel.confirm_delivery()
    persistent = pika.DeliveryMode.Persistent.value
    while True:
        for row, document in db.execute("SELECT rowid, document FROM outbox").fetchall():
            properties = pika.BasicProperties(message_id=document, delivery_mode=persistent)
            channel.basic_publish("", "jobs", document, properties, mandatory=True)
            with db:
                db.execute("DELETE FROM outbox WHERE rowid = ?", (row,))
        connection.sleep(0.1)


def run_worker(url, store):
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    db = sqlite3.connect(store)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    for method, _, body in channel.consume("jobs", auto_ack=False, inactivity_timeout=0.1):
        if method and stopping.is_set():
            channel.basic_nack(method.delivery_tag, requeue=True)
        elif method:
            with db:
                make_thumbnail(db, body.decode())
            if stopping.is_set():
                channel.cancel()
        if stopping.is_set():
            break
    connection.close()


def make_thumbnail(db, document):
    time.sleep(0.05)
    db.execute("INSERT INTO thumbnails VALUES (?)", (document,))
    db.execute("UPDATE jobs SET state = 'done' WHERE document = ?", (document,))
