"""Test a whole class: ``make test-containers ARGS="classroom --learners 30"``.

Starts the profile ``classroom``; simulated learners log in, start their servers, run notebooks at
the same time, and try from inside of each server to reach the data of the others.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pandas as pd

from helpers.classroom import seats as hooks
from helpers.errors import RabbitLabError
from helpers.machine.ports import free_port_numbers
from tests.slow.containers.attempts import KEPT, LEAVE, STILL, TRIED_ONCE, TRIED_PER_LEARNER, TRY
from tests.slow.containers.learner import Learner
from tests.slow.containers.stack import Stack, StackError

LEARNERS = 30
NOTEBOOKS = ("q02", "q03", "q09")
UP_TIMEOUT_S = 600.0
PROFILE = "classroom"
HUB, BROKER = "jupyterhub", "classroom-rabbitmq"
WHOLE_CLASS_TIMEOUT_S = 3000.0
EVERY_S = 5.0
LINES = 40
UNITS = {"B": 2**-20, "KiB": 2**-10, "MiB": 1, "GiB": 2**10}
FORBIDDEN = ("root", "www-data", hooks.INSTRUCTOR)  # with the password of the class


class Class:
    """The learners of one class and the results of their runs."""

    def __init__(self, stack: Stack, learners: int) -> None:
        hub, management = free_port_numbers(2)
        self.stack = stack
        self.passwords = {
            "JUPYTERHUB_PASSWORD": secrets.token_urlsafe(12),
            "JUPYTERHUB_ADMIN_PASSWORD": secrets.token_urlsafe(32),
        }
        stack.environment |= {
            "COMPOSE_PROFILES": PROFILE,
            "CLASSROOM_PORT": str(hub),
            "CLASSROOM_MANAGEMENT_PORT": str(management),
        }
        self.hub = f"http://127.0.0.1:{hub}"
        names = [f"learner-{number + 1:02}" for number in range(learners)]
        names[-1] += "-long-name"  # 20 characters, as many as it may have
        self.learners = [self.learner(name) for name in names]
        self.runs: list[tuple[str, str, float, str]] = []  # learner, notebook, seconds, trouble

    def learner(self, name: str) -> Learner:
        """Return a simulated learner of that name."""
        return Learner(self.hub, name, self.passwords["JUPYTERHUB_PASSWORD"])

    def up(self, **variables: str) -> str:
        """Start the profile; return the output of Compose if it fails, else an empty text."""
        done = self.stack.compose(
            "--profile", PROFILE, "up", "--detach", "--wait", "--build", HUB,
            timeout_s=UP_TIMEOUT_S, check=False, **variables,
        )  # fmt: skip
        return "" if done.returncode == 0 else done.stdout

    def everybody(self, what: Callable[[Learner], object]) -> float:
        """Call a function for all learners at once; return the seconds until all have finished."""
        began_s = time.monotonic()
        with ThreadPoolExecutor(len(self.learners)) as pool:
            list(pool.map(what, self.learners, timeout=WHOLE_CLASS_TIMEOUT_S))
        return time.monotonic() - began_s

    def run_notebooks(self, learner: Learner) -> None:
        """Run the notebooks one after another; learners begin with different notebooks."""
        paths = [path for path in learner.notebooks() if path.split("/")[-1][:3] in NOTEBOOKS]
        first = self.learners.index(learner) % len(paths)
        for path in paths[first:] + paths[:first]:
            began_s = time.monotonic()
            try:
                trouble = "; ".join(learner.run(path))
            except RabbitLabError as error:
                trouble = str(error)
            seconds = time.monotonic() - began_s
            self.runs.append((learner.name, path.split("/")[-1][:3], seconds, trouble))

    def try_others(self, learner: Learner) -> None:
        """From inside of a learner's server, try to reach the data of all other learners.

        Raises:
            StackError: an attempt was not refused, or a vhost of another learner was visible.
        """
        own = hooks.PREFIX + learner.name
        others = [hooks.PREFIX + other.name for other in self.learners if other is not learner]
        with learner.kernel("notebooks/try.ipynb") as kernel:
            refused, got_in, seen = json.loads(kernel.run(TRY.format(others=others)))
        tried = len(others) * TRIED_PER_LEARNER + TRIED_ONCE
        if (refused, got_in) != (tried, 0) or seen != [own]:
            raise StackError(
                f"{learner.name}: {refused} of {tried} refused, {got_in} succeeded, visible: {seen}"
            )


@contextmanager
def watch_memory(stack: Stack) -> Iterator[dict[str, float]]:
    """Yield the peak memory of each service in MiB, updated while the block runs."""
    names = {stack.container(service)[:12]: service for service in (HUB, BROKER)}
    most, over = dict.fromkeys(names.values(), 0.0), threading.Event()

    def look() -> None:
        shown = stack.run(
            "docker", "stats", "--no-stream", "--format", "{{.ID}} {{.MemUsage}}", *names
        )
        for line in shown.stdout.splitlines():
            container, used = line.split()[:2]
            number = used.rstrip("BKMGi")
            now = float(number) * UNITS[used[len(number) :]]
            most[names[container]] = max(most[names[container]], now)

    def watch() -> None:
        while not over.wait(EVERY_S):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()
        look()


def refuses_without_passwords(room: Class) -> str:
    """Without passwords the Hub prints one sentence about the missing variable and ends."""
    for name in hooks.LEAST:
        missing = room.passwords | {name: ""}
        room.up(**missing)
        log = room.stack.compose("logs", "--no-log-prefix", HUB).stdout
        if f"error: {name} is not set" not in log:
            raise StackError(f"the log does not mention {name}: {log[-500:]}")
    return f"without {' or '.join(hooks.LEAST)} it ends with a sentence"


def starts(room: Class) -> str:
    """With passwords it starts, accepts learners and rejects system users."""
    if failed := room.up(**room.passwords):
        logs = room.stack.compose("logs", HUB, check=False).stdout
        raise StackError(f"it does not start: {failed[-1000:]}\n{logs[-2000:]}")
    accepted = [name for name in FORBIDDEN if room.learner(name).log_in()]
    wrong = Learner(room.hub, "learner-01", "a wrong password")
    if accepted or wrong.log_in():
        raise StackError(f"accepted: {accepted or 'a learner with a wrong password'}")
    if not all(learner.log_in() for learner in room.learners):
        raise StackError("a learner is rejected")
    return f"{len(room.learners)} learners logged in; {', '.join(FORBIDDEN)} may not"


def servers(room: Class) -> str:
    """All servers start at the same time."""
    with watch_memory(room.stack) as most:
        seconds = room.everybody(Learner.start_server)
    return (
        f"{len(room.learners)} servers up after {seconds:.0f} s; hub {most[HUB]:.0f} MiB,"
        f" broker {most[BROKER]:.0f} MiB"
    )


def notebooks(room: Class) -> str:
    """All learners run the notebooks at the same time: every claim is as stored."""
    with watch_memory(room.stack) as most:
        seconds = room.everybody(room.run_notebooks)
    frame = pd.DataFrame(room.runs, columns=["learner", "notebook", "seconds", "trouble"])
    passed = frame["trouble"] == ""
    by_notebook = frame.groupby("notebook")["seconds"].agg(["median", "max"]).round(0)
    table = pd.DataFrame(
        {
            "learners": [len(room.learners)],
            "passed": [int(passed.sum())],
            "failed": [int((~passed).sum())],
            "seconds": [round(seconds)],
            "hub_mib": [round(most[HUB])],
            "broker_mib": [round(most[BROKER])],
        }
    )
    print(f"{by_notebook}\n{table.to_string(index=False)}", flush=True)
    if not passed.all():
        said = [
            f"{row.learner} {row.notebook}: {row.trouble}" for row in frame[~passed].itertuples()
        ]
        log = room.stack.compose("logs", "--no-log-prefix", HUB, check=False).stdout.splitlines()
        warnings = [line for line in log if line.startswith(("[W", "[E", "TimeoutError"))]
        raise StackError("\n".join([*said, "The servers' last warnings:", *warnings[-LINES:]]))
    return f"{len(frame)} notebooks, every claim as stored"


def apart(room: Class) -> str:
    """No learner can reach the vhosts, queues or files of another."""

    def leave(learner: Learner) -> None:
        with learner.kernel("notebooks/leave.ipynb") as kernel:
            kernel.run(LEAVE)
            kernel.run(KEPT)

    room.everybody(leave)
    room.everybody(room.try_others)
    count = len(room.learners)
    tried = count * ((count - 1) * TRIED_PER_LEARNER + TRIED_ONCE)
    return f"{tried} attempts to reach data of others, all refused; no name or solution visible"


def keeps(room: Class) -> str:
    """A new container of the Hub has the accounts, files and messages of the old one."""
    room.stack.compose("rm", "--stop", "--force", HUB, timeout_s=300)
    if failed := room.up(**room.passwords):
        raise StackError(f"it does not start again: {failed[-1000:]}")
    again = [room.learner(learner.name) for learner in reversed(room.learners[-2:])]
    for learner in again:
        if not learner.log_in():
            raise StackError(f"{learner.name} is not let in again")
        learner.start_server()
        with learner.kernel("notebooks/still.ipynb") as kernel:
            if (output := kernel.run(STILL).strip()) != "mine 1":
                raise StackError(f"the kernel of {learner.name} printed {output!r}")
    removed = room.stack.compose(
        "exec", "-T", HUB, "python", "-m", "helpers.classroom.seats", "remove", "--all"
    ).stdout
    if removed.count("removed the vhosts of") != len(room.learners):
        raise StackError(f"the instructor's command printed: {removed[-500:]}")
    return "files and messages outlive the Hub's container; the instructor removes all vhosts"


STEPS = (refuses_without_passwords, starts, servers, notebooks, apart, keeps)


def run(stack: Stack, *, learners: int = LEARNERS) -> str:
    """Run the class on a stack; return a summary of the notebooks' runs.

    Raises:
        RabbitLabError: a step fails.
    """
    room = Class(stack, learners)
    seen = []
    try:
        for step in STEPS:
            began_s = time.monotonic()
            seen.append(step(room))
            print(f"  {step.__name__}: {seen[-1]} ({time.monotonic() - began_s:.0f} s)", flush=True)
    finally:
        stack.compose("down", "--volumes", "--timeout", "5", check=False)
        stack.environment.pop("COMPOSE_PROFILES")
        stack.run("docker", "image", "rm", f"{stack.project}-{HUB}", check=False)
    return seen[3]
