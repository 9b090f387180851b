"""Scenarios for the Compose stack; a failure raises StackError with the observation."""

import re
import shlex
import signal
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pika
import requests

from tests.slow.containers import classroom, profiles
from tests.slow.containers.stack import UP_TIMEOUT_S, Stack, StackError
from tests.slow.containers.steps import (
    ANSWER_TIMEOUT_S,
    LINE,
    NOTEBOOK_TIMEOUT_S,
    NOTEBOOKS,
    all_ten,
    connected,
    expect,
    expect_listeners_on_loopback,
    flood,
    inside_run,
    lab_page,
    on_host,
    state,
    vhosts_with_queues,
    wait_for_scratch,
)
from tests.slow.offline import standins

NOTEBOOKS_TIMEOUT_S = 900.0
STOP_TIMEOUT_S = 90.0
BREAK_DURING = "q03"  # a dozen seconds of publishing and consuming
OLDER = "rabbitmq-3.10"
TOO_LITTLE, TIGHT = "60m", "300m"  # RabbitMQ itself needs about 150 MiB
KEPT = 10
PAGES = ("containers.md", "instructors.md")
ERROR = re.compile(r"^  cell \(\S+\): (\w+)", re.MULTILINE)


def attached(stack: Stack) -> str:
    """`docker compose up` in the foreground prints the address, and Ctrl-C ends it."""
    with stack.begin("docker", "compose", "up") as run:
        try:
            page = lab_page(stack, timeout_s=UP_TIMEOUT_S)  # its image is built first
            expect(str(stack.port["JUPYTER_PORT"]) in page, f"{page} has another port")
            run.send_signal(signal.SIGINT)
            output, _ = run.communicate(timeout=STOP_TIMEOUT_S)
        finally:
            run.kill()
    expect(
        re.search(r"/lab/tree/notebooks\S*\?token=", output),
        "the address of JupyterLab is not printed",
    )
    return "it printed the address, that answered, and Ctrl-C ended it"


def up(stack: Stack) -> str:
    """In the background: once healthy, the broker and JupyterLab answer."""
    stack.up("--build")
    expect_listeners_on_loopback(stack, ("rabbitmq", "jupyter"))
    management = f"http://127.0.0.1:{stack.port['RABBITMQ_MANAGEMENT_PORT']}"
    overview = requests.get(f"{management}/api/overview", auth=("lab", "lab"), timeout=10)
    overview.raise_for_status()  # without waiting, since the service is healthy
    page = urlsplit(lab_page(stack))
    answer = requests.get(
        f"http://{page.netloc}/api/contents/notebooks?{page.query}", timeout=ANSWER_TIMEOUT_S
    )
    answer.raise_for_status()
    names = [entry["name"] for entry in answer.json()["content"]]
    there = sum(bool(re.fullmatch(r"q\d\d_.*\.ipynb", name)) for name in names)
    expect(there == NOTEBOOKS, f"JupyterLab shows {there} notebooks")
    return f"RabbitMQ {overview.json()['rabbitmq_version']}, {there} notebooks in JupyterLab"


def inside(stack: Stack) -> str:
    """All ten notebooks pass in the jupyter container."""
    return all_ten(inside_run(stack, timeout_s=NOTEBOOKS_TIMEOUT_S))


def from_host(stack: Stack) -> str:
    """All ten notebooks pass on the host, where the helpers find the stack's broker."""
    status = on_host(stack, "up").stdout
    expect("Docker Compose" in status, f"the helpers took another broker: {status[-500:]}")
    return all_ten(on_host(stack, "notebooks", "--check", timeout_s=NOTEBOOKS_TIMEOUT_S).stdout)


def killed(stack: Stack) -> str:
    """The broker's container is killed while a notebook runs, and stays down."""
    passed, seen = _broken_by(stack, "kill", "--signal", "KILL", "rabbitmq")
    expect(not passed, f"{BREAK_DURING} passes although its broker was killed")
    return seen


def restarted(stack: Stack) -> str:
    """The broker's container is restarted while a notebook runs.

    The restart takes about 5 s, as long as the helpers wait for a foreign broker: the notebook may
    end with an error, or continue and have every claim as stored.
    """
    return _broken_by(stack, "restart", "--timeout", "5", "rabbitmq")[1]


def out_of_memory(stack: Stack) -> str:
    """A flood does not end a container with a memory limit; a limit too low is reported."""
    stack.up("rabbitmq", RABBITMQ_MEMORY=TIGHT)
    sent, blocked = flood(stack)
    seen = state(stack)
    expect(bool(seen["Running"]), f"{sent} MiB into {TIGHT} ended the container: {seen}")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    output = on_host(stack, "up", check=False, RABBITMQ_MEMORY=TOO_LITTLE).stdout
    on_host(stack, "down", check=False)
    expect("set RABBITMQ_MEMORY" in output, f"{TOO_LITTLE} is not reported: {output[-1500:]}")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.up("rabbitmq")
    how = "then blocked" if blocked else "all accepted"
    return f"{TIGHT} survives {sent} MiB ({how}); {TOO_LITTLE} is reported as too little"


def another_generation(stack: Stack) -> str:
    """A data volume of another generation is reported once and not changed."""
    with connected(stack) as channel:
        channel.queue_declare("kept", durable=True)
        channel.confirm_delivery()
        for _ in range(KEPT):
            channel.basic_publish("", "kept", b"", pika.BasicProperties(delivery_mode=2))
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    older = standins.image(OLDER)
    done = stack.compose("up", "--detach", "--wait", "rabbitmq", check=False, RABBITMQ_IMAGE=older)
    expect(done.returncode != 0, f"{OLDER} is healthy on data of another generation")
    log = stack.compose("logs", "--no-log-prefix", "rabbitmq", RABBITMQ_IMAGE=older).stdout
    expect("was written by RabbitMQ" in log, f"its log does not say why: {log[-500:]}")
    inspected = stack.inspect("rabbitmq")
    expect(inspected["RestartCount"] == 0, f"it was restarted {inspected['RestartCount']} times")
    stack.compose("rm", "--stop", "--force", "rabbitmq")
    stack.up("rabbitmq")
    with connected(stack) as channel:
        kept = channel.queue_delete("kept").method.message_count
    expect(kept == KEPT, f"{kept} of {KEPT} persistent messages are left")
    return "reported in one sentence, no restart, and the data are unchanged"


def down(stack: Stack) -> str:
    """`docker compose down --volumes` removes everything."""
    left = stack.down()
    expect(not left, f"there is still: {', '.join(left)}")
    return "no container, network or volume is left"


def pages(stack: Stack) -> str:
    """Every command of the pages on containers and on the classroom was run by the others."""
    text = "".join((stack.folder / "docs" / name).read_text() for name in PAGES)
    written = re.findall(r"docker compose [^`#\n]+", text)
    commands = [shlex.join(shlex.split(command)) for command in written]
    if not any(classroom.HUB in command for command in stack.ran):
        commands = [command for command in commands if classroom.HUB not in command]
    expect(len(commands) > 2, f"the pages have {len(commands)} commands")
    new = [command for command in commands if command not in stack.ran]
    expect(not new, f"nothing here ran: {'; '.join(new)}")
    return f"each of the pages' {len(commands)} commands was run"


def _broken_by(stack: Stack, *fault: str) -> tuple[bool, str]:
    command = ("docker", "compose", "exec", "-T", "jupyter", "python", "-u", "-m", "helpers")
    before = vhosts_with_queues(stack)
    with stack.begin(*command, "notebooks", "--check", BREAK_DURING) as run:
        wait_for_scratch(stack, before)
        expect(run.poll() is None, f"{BREAK_DURING} is over before the fault")
        stack.compose(*fault)
        began_s = time.monotonic()
        try:
            output, _ = run.communicate(timeout=NOTEBOOK_TIMEOUT_S)
        except Exception:
            run.kill()
            raise StackError(f"{BREAK_DURING} hangs after its broker was broken") from None
    took_s = time.monotonic() - began_s
    passed, error = run.returncode == 0, ERROR.search(output)
    expect(passed or bool(error), f"it fails without an error of a cell: {output[-500:]}")
    seen = f"with {error[1]}" if error else "with every claim as stored"
    stack.up("rabbitmq")
    again = inside_run(stack, BREAK_DURING, timeout_s=NOTEBOOK_TIMEOUT_S)
    expect(len(LINE.findall(again)) == 1, f"it does not pass afterwards: {again[-500:]}")
    return passed, f"{BREAK_DURING} ends {took_s:.0f} s later {seen}, and passes afterwards"


# In this order: the last ones stop or replace the services of the first ones.
EVERY: dict[str, Callable[[Stack], str]] = {
    "attached": attached,
    "up": up,
    "inside": inside,
    "from-host": from_host,
    "postgres": profiles.postgres,
    "monitoring": profiles.monitoring,
    "kafka": profiles.kafka,
    "cluster": profiles.cluster,
    "killed": killed,
    "restarted": restarted,
    "out-of-memory": out_of_memory,
    "another-generation": another_generation,
    "down": down,
    "pages": pages,
}
# Only by name: thirty learners need two cores for ten minutes, without other load.
BY_NAME: dict[str, Callable[[Stack], str]] = {"classroom": classroom.run}
