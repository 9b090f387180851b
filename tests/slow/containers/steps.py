"""Steps that several scenarios share."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pika
import requests
from pika.adapters.blocking_connection import BlockingChannel

from helpers.machine.paths import notebooks
from helpers.waits import wait_until
from tests.slow.containers.stack import Stack, StackError

NOTEBOOKS = len(notebooks())
NOTEBOOK_TIMEOUT_S = 240.0
ANSWER_TIMEOUT_S = 30.0
FLOOD_MIB = 600
LINE = re.compile(r"^(q\d\d)_\w+ .*\bclaims? as stored", re.MULTILINE)


def flood(stack: Stack) -> tuple[int, bool]:
    """Publish transient messages; return the MiB and whether the broker blocked the publisher."""
    with connected(stack) as channel:
        channel.queue_declare("flood", durable=True)
        for sent in range(FLOOD_MIB):
            try:
                channel.basic_publish("", "flood", bytes(2**20))
                channel.connection.process_data_events(0)
            except pika.exceptions.ConnectionBlockedTimeout:
                return sent, True
    return FLOOD_MIB, False


@contextmanager
def connected(stack: Stack) -> Iterator[BlockingChannel]:
    parameters = pika.URLParameters(f"amqp://lab:lab@127.0.0.1:{stack.port['RABBITMQ_PORT']}/%2F")
    parameters.blocked_connection_timeout = 5
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def inside_run(stack: Stack, *names: str, timeout_s: float) -> str:
    command = ("exec", "-T", "jupyter", "python", "-m", "helpers", "notebooks", "--check", *names)
    return stack.compose(*command, timeout_s=timeout_s).stdout


def bring_up(stack: Stack, profile: str, *services: str) -> None:
    stack.compose("--profile", profile, "up", "--detach", "--wait", *services, timeout_s=300)
    expect_listeners_on_loopback(stack, services)


def vhosts_with_queues(stack: Stack) -> set[str]:
    base = f"http://127.0.0.1:{stack.port['RABBITMQ_MANAGEMENT_PORT']}/api"
    queues = requests.get(f"{base}/queues", auth=("lab", "lab"), timeout=10).json()
    return {queue["vhost"] for queue in queues}


def wait_for_scratch(stack: Stack, before: set[str]) -> None:
    """Wait until the notebook has a queue in its scratch vhost, so that it is in the middle.

    Args:
        stack: the stack in which the notebook runs.
        before: the vhosts with queues before it began; a killed run leaves its vhost.
    """
    wait_until(
        lambda: vhosts_with_queues(stack) - before,
        timeout_s=60,
        what="the notebook's first queue",
        every_s=0.1,
    )


def all_ten(output: str) -> str:
    passed = LINE.findall(output)
    expect(len(passed) == NOTEBOOKS, f"{len(passed)} of {NOTEBOOKS} passed:\n{output[-3000:]}")
    skipped = re.findall(r"; skipped: (.+)", output)
    return f"{len(passed)} notebooks passed; skipped: {', '.join(skipped) or 'nothing'}"


def on_host(
    stack: Stack, *arguments: str, timeout_s: float = 180.0, check: bool = True, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the helpers of the copy on the host."""
    return stack.run(
        sys.executable, "-m", "helpers", *arguments,
        timeout_s=timeout_s, check=check, PYTHONPATH=str(stack.folder),
        PYTHONDONTWRITEBYTECODE="1", **variables,
    )  # fmt: skip


def lab_page(stack: Stack, *, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    """Wait for JupyterLab and return the last address that it printed."""

    def answering() -> str | None:
        log = stack.compose("logs", "--no-log-prefix", "jupyter").stdout
        pages = re.findall(r"http://\S+/lab/tree/notebooks\S*\?token=\w+", log)
        with suppress(requests.RequestException):  # an address of an earlier start
            if pages and requests.get(pages[-1], timeout=ANSWER_TIMEOUT_S).ok:
                return str(pages[-1])
        return None

    page = wait_until(answering, timeout_s=timeout_s, what="the address of JupyterLab", every_s=0.5)
    assert page is not None
    return page


def expect_listeners_on_loopback(stack: Stack, services: tuple[str, ...]) -> None:
    for service in services:
        settings: Any = stack.inspect(service)["NetworkSettings"]
        for port, bindings in settings["Ports"].items():
            for binding in bindings or ():
                expect(
                    binding["HostIp"] == "127.0.0.1",
                    f"port {port} of {service} listens on {binding['HostIp']}",
                )


def state(stack: Stack) -> dict[str, Any]:
    state: Any = stack.inspect("rabbitmq")["State"]
    return {name: state[name] for name in ("Running", "OOMKilled", "ExitCode")}


def expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise StackError(otherwise)
