"""Lab 7: a web endpoint and a worker. Both run as they are, and do it wrong."""

import sqlite3
import time

import pika
import uvicorn
from fastapi import FastAPI, HTTPException


def run_web(url, store, port):
    """Serve HTTP on 127.0.0.1 until somebody ends this process."""
    app = FastAPI()

    @app.post("/thumbnails/{document}", status_code=202)
    def post(document: str):
        with sqlite3.connect(store) as db:
            db.execute("INSERT INTO jobs VALUES (?, 'waiting')", (document,))
            make_thumbnail(db, document)

    @app.get("/thumbnails/{document}")
    def get(document: str):
        rows = sqlite3.connect(store).execute(
            "SELECT state FROM jobs WHERE document = ?", (document,)
        )
        for (state,) in rows:
            return {"state": state}
        raise HTTPException(404)

    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def run_worker(url, store):
    """Work on the queue "jobs" until somebody ends this process, or asks it to end."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)

    def on_job(channel, method, properties, body):
        channel.basic_ack(method.delivery_tag)
        print("not made yet in", store, body.decode())

    channel.basic_consume("jobs", on_job, auto_ack=False)
    channel.start_consuming()


def make_thumbnail(db, document):
    """Make a thumbnail, and say so in both tables; the caller commits."""
    time.sleep(0.05)  # the work
    db.execute("INSERT INTO thumbnails VALUES (?)", (document,))
    db.execute("UPDATE jobs SET state = 'done' WHERE document = ?", (document,))
