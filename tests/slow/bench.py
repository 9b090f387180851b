"""Measure what the suite costs: ``make bench``. Prints one table; asserts nothing about time."""

import itertools
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
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import click
import pika

from helpers import broker, consume, metrics, publish
from helpers.errors import WaitTimeoutError
from helpers.history import History
from helpers.machine.paths import ROOT
from helpers.suite.checks import NBVAL

MESSAGES = 6000
PAIRS = 41  # the broker's own rate varies by a fifth from run to run
BLOCK, RUNS = 100, 30  # messages that one handler gets in a row; runs of the consumer
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


def consume_times_s() -> list[float]:
    """Consume all messages on one connection, in turn as bare pika and as `Consumer` handle them.

    Rates of separate runs differ by a fifth, far more than what is measured here; neighbours in
    one run don't.

    Returns:
        Seconds for each ``BLOCK`` messages: bare, measured, bare, …
    """
    filled_queue()
    with closing(broker.connect()) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=100)
        worker = consume.Consumer("bench", prefetch_count=100, auto_ack=False, history=History())
        worker._channel = channel
        ids: list[str] = []
        starts: list[float] = []

        def bare(channel, method, properties, body):
            ids.append(properties.message_id)
            channel.basic_ack(method.delivery_tag)

        handlers = itertools.cycle([bare, worker._callback()])
        handle, seen = bare, 0

        def on_message(channel, method, properties, body):
            nonlocal handle, seen
            if seen % BLOCK == 0:
                starts.append(time.perf_counter())
                handle = next(handlers)
            seen += 1
            handle(channel, method, properties, body)
            if seen == MESSAGES:
                channel.stop_consuming()

        channel.basic_consume("bench", on_message, auto_ack=False)
        channel.start_consuming()
    return [after - before for before, after in pairwise(starts)]


def consumer_ratio() -> str:
    """Return the median ratio of the rates of neighbouring blocks, with its quartiles."""
    ratios, rates = [], []
    for _ in range(RUNS):
        times_s = consume_times_s()
        bare_s, measured_s = times_s[0::2], times_s[1::2]
        ratios += [bare / measured for bare, measured in zip(bare_s, measured_s, strict=False)]
        ratios += [bare / measured for bare, measured in zip(bare_s[1:], measured_s, strict=False)]
        rates += [BLOCK / seconds for seconds in bare_s]
    return _in_words(ratios, rates)


def paired(measured: Callable[[], float], bare: Callable[[], float]) -> str:
    """Run both in turn and return the median of the ratios, pair by pair, with its quartiles."""
    ratios, rates = [], []
    for turn in range(PAIRS):
        order = (measured, bare) if turn % 2 else (bare, measured)
        result = {run: run() for run in order}
        ratios.append(result[measured] / result[bare])
        rates.append(result[bare])
    return _in_words(ratios, rates)


def _in_words(ratios: list[float], rates: list[float]) -> str:
    low, middle, high = statistics.quantiles(ratios, n=4)
    return (
        f"{middle:.3f} of bare pika (quartiles {low:.2f} and {high:.2f} of {len(ratios)} pairs; "
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
    pytest = [sys.executable, "-m", "pytest", "-q", *NBVAL]
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
    yield "measured consumer, rate", consumer_ratio()
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
