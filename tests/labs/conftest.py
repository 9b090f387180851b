"""A submission on trial, for the tests of the judge."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from pika import BasicProperties

from labs.judge.actor import Actor
from labs.judge.sandbox.limits import Limits
from labs.judge.trial import Trial

WORKER = """
    import sqlite3
    import pika

    def run(url, store):
        db = sqlite3.connect(store)
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.basic_qos(prefetch_count=1)
        def work(channel, method, properties, body):
            with db:
                db.execute("INSERT INTO done VALUES (?)", (properties.message_id,))
            channel.basic_ack(method.delivery_tag)
        channel.basic_consume("jobs", work)
        channel.start_consuming()
"""

Try = Callable[..., Trial]


@pytest.fixture
def attempt(tmp_path: Path, shared_broker) -> Iterator[Try]:
    """Return a function that puts a submission on trial; it is over at the end of the test."""
    opened: list[Trial] = []

    def begin(source: str = WORKER, **limits) -> Trial:
        file = tmp_path / "submission.py"
        file.write_text(textwrap.dedent(source), encoding="utf-8")
        trial = Trial(file, limits=Limits(**limits)).__enter__()
        opened.append(trial)
        return trial

    yield begin
    for trial in opened:
        trial.__exit__(None, None, None)


def play(trial: Trial, *, restarts: int = 0, jobs: int = 1) -> Actor:
    """Send jobs to a fresh queue and start a worker."""
    channel = trial.fresh("done (job TEXT)")
    channel.queue_declare("jobs", durable=True)
    for number in range(jobs):
        channel.basic_publish("", "jobs", b"work", BasicProperties(message_id=f"job-{number}"))
    return trial.start("run", trial.url, trial.store, name="worker", restarts=restarts)


def notebook(*sources: str) -> str:
    """Return a notebook with these code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))


def put(folder: Path, *names: str) -> Path:
    """Write these files, notebooks as briefs of lab 5, and return the folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            notebook("brief.begin(5)", "%%lab\nx = 1") if path.suffix == ".ipynb" else "x = 1"
        )
    return folder
