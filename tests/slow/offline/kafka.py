"""Run a Kafka for Q8 from the tree of its stand-in, without a container."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from helpers.errors import RabbitLabError, ServiceNotReadyError
from helpers.machine import docker
from helpers.machine.ports import free_port_numbers
from helpers.services import kafka
from helpers.waits import wait_until
from tests.slow.offline import standins, wrapper

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
PROGRAM = f"/{standins.ENTRY}"


def settings(client: int, controller: int) -> dict[str, str]:
    """Return the variables of docker-compose.yml's Kafka, with listeners on loopback only.

    Args:
        client: port for clients.
        controller: port of the node's controller.
    """
    service = yaml.safe_load(docker.FILE.read_text(encoding="utf-8"))["services"]["kafka"]
    return service["environment"] | {
        "KAFKA_LISTENERS": f"HOST://127.0.0.1:{client},CONTROLLER://localhost:{controller}",
        "KAFKA_ADVERTISED_LISTENERS": f"HOST://127.0.0.1:{client}",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{controller}",
    }


@contextmanager
def running() -> Iterator[None]:
    """Start a Kafka for the time of the block and set KAFKA_BOOTSTRAP to its address.

    A Kafka that already answers is used instead. Where none can be started, the reason is printed,
    and the cells that need Kafka are skipped.
    """
    if kafka.missing() is None:
        yield
        return
    folder = standins.cache() / f"run-kafka-{os.getpid()}"
    process = None
    try:
        try:
            client, controller = free_port_numbers(2)
            process = _start(folder, settings(client, controller))
            os.environ["KAFKA_BOOTSTRAP"] = f"127.0.0.1:{client}"
            wait_until(
                lambda: _answers(process),
                timeout_s=START_TIMEOUT_S,
                what="Kafka's answer",
                every_s=0.5,
            )
        except RabbitLabError as error:
            os.environ.pop("KAFKA_BOOTSTRAP", None)
            print(f"No Kafka, so its cells are skipped: {error}", file=sys.stderr, flush=True)
        yield
    finally:
        os.environ.pop("KAFKA_BOOTSTRAP", None)
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
    tree = standins.tree("kafka")
    layer, home = folder / "layer", folder / "home"
    for needed in (layer, home):
        needed.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", wrapper.script(layer, tree, home, PROGRAM)],
            env={"PATH": os.environ["PATH"], **variables},
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def _answers(process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise ServiceNotReadyError(f"Kafka ended with exit status {process.returncode}")
    try:
        kafka.find()
    except RabbitLabError:
        return False
    return True


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    # It was started in a new session, so that its process group has no other processes.
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
