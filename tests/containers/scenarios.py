"""What the Compose stack has to do, one function each; a failure raises with what was seen."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pika
import requests
from pika.adapters.blocking_connection import BlockingChannel

from helpers.waits import wait_until
from tests.containers import standins
from tests.containers.stack import UP_TIMEOUT_S, Stack, StackError

NOTEBOOKS = 10
NOTEBOOKS_TIMEOUT_S = 900.0
NOTEBOOK_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 90.0
BREAK_DURING = "q03"  # a dozen seconds of publishing and consuming
OLDER = "rabbitmq-3.10"
TOO_LITTLE, TIGHT = "60m", "300m"  # RabbitMQ itself needs about 150 MiB
KEPT = 10
FLOOD_MIB = 600
LINE = re.compile(r"^(q\d\d)_\w+ .*\bclaims? as stored", re.MULTILINE)


def attached(stack: Stack) -> str:
    """`docker compose up` as a candidate types it: the address is printed, Ctrl-C ends it."""
    with stack.begin("docker", "compose", "up") as run:
        try:
            page = _lab_page(stack, timeout_s=UP_TIMEOUT_S)  # its image is built first
            _expect(requests.get(page, timeout=ANSWER_TIMEOUT_S).ok, f"{page} does not answer")
            run.send_signal(signal.SIGINT)
            output, _ = run.communicate(timeout=STOP_TIMEOUT_S)
        finally:
            run.kill()
    _expect("/lab/tree/notebooks?token=" in output, "the address of JupyterLab is not printed")
    return "it printed the address, that answered, and Ctrl-C ended it"


def up(stack: Stack) -> str:
    """The same in the background: healthy means that the broker and JupyterLab answer."""
    stack.up("--build")
    _expect_listeners_on_loopback(stack, ("rabbitmq", "jupyter"))
    management = f"http://127.0.0.1:{stack.port['RABBITMQ_MANAGEMENT_PORT']}"
    overview = requests.get(f"{management}/api/overview", auth=("lab", "lab"), timeout=10)
    overview.raise_for_status()  # healthy means ready: no waiting for it
    page = urlsplit(_lab_page(stack))
    answer = requests.get(
        f"http://{page.netloc}/api/contents/notebooks?{page.query}", timeout=ANSWER_TIMEOUT_S
    )
    answer.raise_for_status()
    names = [entry["name"] for entry in answer.json()["content"]]
    there = sum(name.endswith(".ipynb") for name in names)
    _expect(there == NOTEBOOKS, f"JupyterLab shows {there} notebooks")
    return f"RabbitMQ {overview.json()['rabbitmq_version']}, {there} notebooks in JupyterLab"


def inside(stack: Stack) -> str:
    """All ten notebooks, from inside of the jupyter container."""
    return _all_ten(_inside(stack, timeout_s=NOTEBOOKS_TIMEOUT_S))


def from_host(stack: Stack) -> str:
    """All ten notebooks, from the host: the helpers find the stack's broker by themselves."""
    status = _helpers(stack, "up").stdout
    _expect("Docker Compose" in status, f"the helpers took another broker: {status[-500:]}")
    return _all_ten(_helpers(stack, "notebooks", "--check", timeout_s=NOTEBOOKS_TIMEOUT_S).stdout)


def killed(stack: Stack) -> str:
    """The broker's container is killed while a notebook runs."""
    return _broken_by(stack, lambda: stack.compose("kill", "--signal", "KILL", "rabbitmq"))


def restarted(stack: Stack) -> str:
    """The broker's container is restarted while a notebook runs."""
    return _broken_by(stack, lambda: stack.compose("restart", "--timeout", "5", "rabbitmq"))


def out_of_memory(stack: Stack) -> str:
    """A memory limit: a flood does not end the container; a limit that is too low is told."""
    stack.up("rabbitmq", RABBITMQ_MEMORY=TIGHT)
    sent, blocked = _flood(stack)
    state = _state(stack)
    _expect(bool(state["Running"]), f"{sent} MiB into {TIGHT} ended the container: {state}")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    said = _helpers(stack, "up", check=False, RABBITMQ_MEMORY=TOO_LITTLE).stdout
    _helpers(stack, "down", check=False)
    _expect("set RABBITMQ_MEMORY" in said, f"no word about {TOO_LITTLE}: {said[-1500:]}")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.up("rabbitmq")
    how = "blocked" if blocked else "taken"
    return f"{TIGHT} survives {sent} MiB ({how}); {TOO_LITTLE} is told to be too little"


def another_generation(stack: Stack) -> str:
    """A data volume of another generation is explained, not crash-looped, and not touched."""
    with _connected(stack) as channel:
        channel.queue_declare("kept", durable=True)
        channel.confirm_delivery()
        for _ in range(KEPT):
            channel.basic_publish("", "kept", b"", pika.BasicProperties(delivery_mode=2))
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    older = standins.image(OLDER)
    done = stack.compose("up", "--detach", "--wait", "rabbitmq", check=False, RABBITMQ_IMAGE=older)
    _expect(done.returncode != 0, f"{OLDER} is healthy on data of another generation")
    log = stack.compose("logs", "--no-log-prefix", "rabbitmq", RABBITMQ_IMAGE=older).stdout
    _expect("was written by RabbitMQ" in log, f"its log does not say why: {log[-500:]}")
    inspected = stack.inspect("rabbitmq")
    _expect(inspected["RestartCount"] == 0, f"it was restarted {inspected['RestartCount']} times")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.up("rabbitmq")
    with _connected(stack) as channel:
        kept = channel.queue_delete("kept").method.message_count
    _expect(kept == KEPT, f"of {KEPT} persistent messages {kept} are left")
    return "told in one sentence, no restart, and the data are as they were"


def postgres(stack: Stack) -> str:
    """PostgreSQL beside it: the notebook in the container finds it."""
    _profile(stack, "postgres", "postgres")
    output = _inside(stack, "q05", timeout_s=NOTEBOOK_TIMEOUT_S)
    _expect("skipped" not in output, f"q05 skips PostgreSQL although it is up: {output[-500:]}")
    return "q05 uses it from inside"


def monitoring(stack: Stack) -> str:
    """Prometheus beside it: it scrapes the broker, and has our alert rules."""
    _profile(stack, "monitoring", "prometheus")
    base = f"http://127.0.0.1:{stack.port['PROMETHEUS_PORT']}/api/v1"

    def scraped() -> bool:
        targets = requests.get(f"{base}/targets", timeout=10).json()["data"]["activeTargets"]
        return bool(targets) and all(target["health"] == "up" for target in targets)

    wait_until(scraped, timeout_s=60, what="Prometheus to scrape the broker")
    groups = requests.get(f"{base}/rules", timeout=10).json()["data"]["groups"]
    rules = sum(len(group["rules"]) for group in groups)
    _expect(rules > 0, "Prometheus has no alert rules")
    return f"it scrapes the broker, and has {rules} alert rules"


def down(stack: Stack) -> str:
    """`docker compose down --volumes` leaves nothing."""
    left = stack.down()
    _expect(not left, f"there is still: {', '.join(left)}")
    return "no container, network or volume is left"


def _flood(stack: Stack) -> tuple[int, bool]:
    """Publish transient messages; return how many MiB, and whether the broker blocked us."""
    with _connected(stack) as channel:
        channel.queue_declare("flood", durable=True)
        for sent in range(FLOOD_MIB):
            try:
                channel.basic_publish("", "flood", bytes(2**20))
                channel.connection.process_data_events(0)
            except pika.exceptions.ConnectionBlockedTimeout:
                return sent, True
    return FLOOD_MIB, False


@contextmanager
def _connected(stack: Stack) -> Iterator[BlockingChannel]:
    parameters = pika.URLParameters(f"amqp://lab:lab@127.0.0.1:{stack.port['RABBITMQ_PORT']}/%2F")
    parameters.blocked_connection_timeout = 5
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def _broken_by(stack: Stack, fault: Callable[[], object]) -> str:
    command = ("docker", "compose", "exec", "-T", "jupyter", "python", "-u", "-m", "helpers")
    with stack.begin(*command, "notebooks", "--check", BREAK_DURING) as run:
        _wait_for_scratch(stack)
        fault()
        began_s = time.monotonic()
        try:
            output, _ = run.communicate(timeout=NOTEBOOK_TIMEOUT_S)
        except Exception:
            run.kill()
            raise StackError(f"{BREAK_DURING} hangs when its broker goes") from None
    took_s = time.monotonic() - began_s
    _expect(run.returncode != 0, f"{BREAK_DURING} passes although its broker went: {output[-300:]}")
    stack.up("rabbitmq")
    again = _inside(stack, BREAK_DURING, timeout_s=NOTEBOOK_TIMEOUT_S)
    _expect(len(LINE.findall(again)) == 1, f"it does not pass afterwards: {again[-500:]}")
    return f"{BREAK_DURING} ends {took_s:.0f} s later with an error, and passes afterwards"


def _inside(stack: Stack, *names: str, timeout_s: float) -> str:
    command = ("exec", "-T", "jupyter", "python", "-m", "helpers", "notebooks", "--check", *names)
    return stack.compose(*command, timeout_s=timeout_s).stdout


def _profile(stack: Stack, profile: str, *services: str) -> None:
    stack.compose("--profile", profile, "up", "--detach", "--wait", *services, timeout_s=300)
    _expect_listeners_on_loopback(stack, services)


def _wait_for_scratch(stack: Stack) -> None:
    """Wait until the notebook has its scratch vhost with a queue in it: it is in mid-run."""
    base = f"http://127.0.0.1:{stack.port['RABBITMQ_MANAGEMENT_PORT']}/api"

    def at_work() -> bool:
        queues = requests.get(f"{base}/queues", auth=("lab", "lab"), timeout=10).json()
        return any(queue["vhost"] != "/" for queue in queues)

    wait_until(at_work, timeout_s=60, what="the notebook's first queue", every_s=0.1)


def _all_ten(output: str) -> str:
    passed = LINE.findall(output)
    _expect(len(passed) == NOTEBOOKS, f"{len(passed)} of {NOTEBOOKS} passed:\n{output[-3000:]}")
    skipped = re.findall(r"; skipped: (.+)", output)
    return f"{len(passed)} notebooks passed; skipped: {', '.join(skipped) or 'nothing'}"


def _helpers(
    stack: Stack, *arguments: str, timeout_s: float = 180.0, check: bool = True, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the copy's own helpers on the host."""
    return stack.run(
        sys.executable, "-m", "helpers", *arguments,
        timeout_s=timeout_s, check=check, PYTHONPATH=str(stack.folder),
        PYTHONDONTWRITEBYTECODE="1", **variables,
    )  # fmt: skip


def _lab_page(stack: Stack, *, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
    """Return the address that JupyterLab printed, as soon as it has."""

    def printed() -> str | None:
        log = stack.compose("logs", "--no-log-prefix", "jupyter").stdout
        found = re.search(r"http://\S+/lab/tree/notebooks\?token=\w+", log)
        return found[0] if found else None

    page = wait_until(printed, timeout_s=timeout_s, what="the address of JupyterLab", every_s=0.5)
    assert page is not None
    return page


def _expect_listeners_on_loopback(stack: Stack, services: tuple[str, ...]) -> None:
    for service in services:
        settings: Any = stack.inspect(service)["NetworkSettings"]
        for port, bindings in settings["Ports"].items():
            for binding in bindings or ():
                _expect(
                    binding["HostIp"] == "127.0.0.1",
                    f"port {port} of {service} listens on {binding['HostIp']}",
                )


def _state(stack: Stack) -> dict[str, Any]:
    state: Any = stack.inspect("rabbitmq")["State"]
    return {name: state[name] for name in ("Running", "OOMKilled", "ExitCode")}


def _expect(fine: bool, otherwise: str) -> None:
    if not fine:
        raise StackError(otherwise)


# In this order: the last ones end or exchange what the first ones use.
EVERY: dict[str, Callable[[Stack], str]] = {
    "attached": attached,
    "up": up,
    "inside": inside,
    "from-host": from_host,
    "postgres": postgres,
    "monitoring": monitoring,
    "killed": killed,
    "restarted": restarted,
    "out-of-memory": out_of_memory,
    "another-generation": another_generation,
    "down": down,
}
