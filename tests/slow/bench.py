"""Measure what the suite costs: ``make bench``. Prints one table; asserts nothing about time."""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
import pika

from helpers import broker, consume, metrics, publish
from helpers.errors import WaitTimeoutError
from helpers.history import History
from helpers.machine.paths import ROOT

MESSAGES = 6000
PAIRS = 41  # the broker's own rate varies by a fifth from run to run
BODY = "comment.added"
TRANSIENT = pika.DeliveryMode.Transient.value


def bare_publish(channel, queue: str) -> None:
    """Publish as a user of bare pika would, with message ids and the same properties."""
    for message in range(MESSAGES):
        properties = pika.BasicProperties(message_id=str(message), delivery_mode=TRANSIENT)
        channel.basic_publish("", queue, BODY, properties)


def measured_publish(channel, queue: str) -> None:
    """Publish the same messages with the measured publisher, every publish recorded."""
    publish.publish_batch(
        channel, [BODY] * MESSAGES, exchange="", routing_key=queue,
        persistent=False, mandatory=False, confirms=False, history=History(),
    )  # fmt: skip


def publish_rate(send: Callable) -> float:
    """Return messages per second until the broker has answered that it has them all."""
    channel = broker.clean_channel()
    channel.queue_declare("bench", durable=True)
    start = time.perf_counter()
    send(channel, "bench")
    channel.queue_declare("bench", passive=True)
    return MESSAGES / (time.perf_counter() - start)


def filled_queue() -> None:
    """Leave ``MESSAGES`` messages in a fresh queue."""
    channel = broker.clean_channel()
    channel.queue_declare("bench", durable=True)
    publish.publish_batch(
        channel, [BODY] * MESSAGES, exchange="", routing_key="bench",
        persistent=False, mandatory=False, confirms=False,
    )  # fmt: skip
    metrics.wait_for_ready(channel, "bench", MESSAGES, timeout_s=60)


def bare_consume_rate() -> float:
    """Return messages per second of a bare pika consumer, on its own thread like the measured."""
    filled_queue()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_bare_consume).result()


def _bare_consume() -> float:
    connection = broker.connect()
    channel = connection.channel()
    channel.basic_qos(prefetch_count=100)
    ids: list[str] = []
    started: list[float] = []

    def on_message(channel, method, properties, body):
        if not ids:
            started.append(time.perf_counter())
        ids.append(properties.message_id)
        channel.basic_ack(method.delivery_tag)
        if len(ids) == MESSAGES:
            channel.stop_consuming()

    channel.basic_consume("bench", on_message, auto_ack=False)
    channel.start_consuming()
    rate = MESSAGES / (time.perf_counter() - started[0])
    connection.close()
    return rate


def measured_consume_rate() -> float:
    """Return messages per second of the measured consumer, recording every event."""
    filled_queue()
    with consume.Consumer(
        "bench", prefetch_count=100, auto_ack=False, history=History(), stop_after=MESSAGES
    ) as worker:
        worker.wait_for(MESSAGES, timeout_s=60)
    return MESSAGES / (worker.settled_s[-1] - worker.times_s[0])


def paired(measured: Callable[[], float], bare: Callable[[], float]) -> str:
    """Run both in turn and return the median of the ratios, pair by pair, with its quartiles."""
    ratios, rates = [], []
    for turn in range(PAIRS):
        order = (measured, bare) if turn % 2 else (bare, measured)
        result = {run: run() for run in order}
        ratios.append(result[measured] / result[bare])
        rates.append(result[bare])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return (
        f"{middle:.2f} of bare pika (quartiles {low:.2f} and {high:.2f} of {PAIRS} pairs; "
        f"bare: {statistics.median(rates):,.0f} msgs/s)"
    )


def import_seconds(statement: str) -> str:
    """Return the median time of an import in a fresh interpreter."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(5)
    ]
    return f"{statistics.median(times):.2f} s"


@contextmanager
def own_home() -> Iterator[dict[str, str]]:
    """Yield an environment without this checkout's broker."""
    with tempfile.TemporaryDirectory(prefix="rabbit-lab-bench-") as folder:
        hidden = ("AMQP_URL", "MANAGEMENT_URL")
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        yield {**kept, "RABBIT_LAB_HOME": folder}


def node_start_seconds() -> str:
    """Return the time from nothing to a private node that is ready."""
    with own_home() as environment:
        start = time.perf_counter()
        run = [sys.executable, "-m", "helpers"]
        subprocess.run([*run, "up"], env=environment, cwd=ROOT, check=True, capture_output=True)
        seconds = time.perf_counter() - start
        subprocess.run([*run, "down"], env=environment, cwd=ROOT, check=True, capture_output=True)
    return f"{seconds:.1f} s"


def clone_to_lab_seconds() -> str:
    """Return the time from a fresh clone to a JupyterLab that answers, with a broker."""
    with own_home() as environment:
        environment.pop("RABBIT_LAB_HOME")
        folder = Path(tempfile.mkdtemp(prefix="rabbit-lab-clone-")) / "clone"
        start = time.perf_counter()
        subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
        lab = subprocess.Popen(
            ["make", "lab", "ARGS=--no-browser"],
            cwd=folder, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = next(
                found.group()
                for line in lab.stdout or []
                if (found := re.search(r"http://127\.0\.0\.1:\d+/lab\S*", line))
            )
            _wait_for(url)
            seconds = time.perf_counter() - start
        finally:
            os.killpg(lab.pid, signal.SIGINT)
            lab.communicate(timeout=60)
            subprocess.run(
                ["make", "down"], cwd=folder, env=environment, check=True, capture_output=True
            )
    return f"{seconds:.1f} s"


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise WaitTimeoutError("JupyterLab did not answer within 60 s")


def notebook_seconds() -> Iterator[tuple[str, str]]:
    """Yield the wall time of each notebook, and of all in sequence and on two workers."""
    pytest = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    notebooks = sorted(str(path) for path in (ROOT / "notebooks").glob("q*.ipynb"))

    def seconds(*arguments: str) -> str:
        start = time.perf_counter()
        subprocess.run([*pytest, *arguments], cwd=ROOT, check=True, capture_output=True)
        return f"{time.perf_counter() - start:.1f} s"

    for notebook in notebooks:
        yield f"notebook {Path(notebook).stem}", seconds(notebook)
    yield "all notebooks, in sequence", seconds(*notebooks)
    yield "all notebooks, two workers", seconds("-n", "2", *notebooks)


def rows(quick: bool) -> Iterator[tuple[str, str]]:
    """Yield the name and the figure of each measurement, one at a time."""
    broker.find()
    yield (
        "measured publisher, rate",
        paired(lambda: publish_rate(measured_publish), lambda: publish_rate(bare_publish)),
    )
    yield "measured consumer, rate", paired(measured_consume_rate, bare_consume_rate)
    yield "import, without plotting", import_seconds("from helpers import broker, claims, consume")
    drawing = "from helpers import broker, plots; import pandas, matplotlib.pyplot"
    yield "import, with plotting", import_seconds(drawing)
    yield "private node, start to ready", node_start_seconds()
    if not quick:
        yield "fresh clone to JupyterLab answering", clone_to_lab_seconds()
        yield from notebook_seconds()


@click.command
@click.option("--quick", is_flag=True, help="Leave out the fresh clone and the notebooks.")
def command(quick: bool) -> int:
    print(broker.open_vhost("bench") or "", f"{os.cpu_count()} processors", sep="\n")
    for what, figure in rows(quick):
        print(f"{what:<38} {figure}", flush=True)
    return 0
