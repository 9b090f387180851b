"""The hosts of lab 9, and the play in which each worker is held in its first event.

The broker counts the events that a worker holds.
"""

import json
import math
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pika

from helpers.broker import amqp_url
from helpers.chaos import Proxy
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.trial import Trial, go_on

ROLE = "run_worker"
TABLE = "thumbnails (document TEXT PRIMARY KEY)"
FAR_MS = 200
START_S, PATIENCE_S = 15.0, 6.0  # a start takes seven round trips without a boundary
PACE = 50  # thumbnails of the worker next door, in a comparison with one far away


@dataclass(frozen=True)
class Host:
    """The host of a worker: its speed, and its distance from the broker."""

    name: str
    service_time_s: float
    round_trip_s: float
    events: int = 40  # in its queue, if no other worker shares it

    @property
    def far(self) -> bool:
        """Whether the round trip takes more than 10 ms."""
        return self.round_trip_s > 0.01

    @property
    def needed(self) -> float:
        """Number of events that keep it busy: one at work, the others on their way."""
        return 1 + self.round_trip_s / self.service_time_s

    @property
    def most(self) -> int:
        """Number of events that it may hold: twice as many, rounded up."""
        return math.ceil(round(2 * self.needed, 6))


NEAR_S, FAR_S = 0.0005, FAR_MS / 1000
NEAR_FAST = Host("the fast one next door", 0.01, NEAR_S, events=120)
NEAR_SLOW = Host("the slow one next door", 0.2, NEAR_S)
FAR_FAST = Host("the fast one far away", 0.01, FAR_S, events=120)
FAR_SLOW = Host("the slow one far away", 0.2, FAR_S)


@dataclass
class Window:
    """Events of one worker: held during its first event, and requeued by its death."""

    host: Host
    actor: Actor
    trouble: str = ""
    why: str = "not-done"  # the belief behind its trouble
    held: int = 0
    parallel: int = 0  # events that it worked on at once
    returned: int = 0  # requeued by its death
    times: list[float] = field(default_factory=list)  # of its thumbnails, after the hold

    @property
    def radius(self) -> int:
        """Number of events that its death affects."""
        return max(self.held, self.returned)

    @property
    def share(self) -> float:
        """Largest possible share of time at work, 0 to 1."""
        return min(1.0, self.held / self.host.needed)

    @property
    def limit(self) -> object:
        """The prefetch in force when it subscribed; None for no prefetch."""
        return self.details("subscribed").get("limit")

    def details(self, at: str) -> dict[str, object]:
        """Return the details of its first boundary of a kind; empty for none."""
        return next(
            (boundary.details for boundary in self.actor.boundaries if boundary.at == at), {}
        )

    @property
    def waits_s(self) -> float:
        """Wait of the last event that it holds, in seconds."""
        return (self.held - 1) * self.host.service_time_s

    def number(self, at: str) -> int:
        """Return the number of its boundaries of a kind."""
        return sum(boundary.at == at for boundary in self.actor.boundaries)


def publish(trial: Trial, queue: str, number: int) -> None:
    """Publish ``number`` events to a queue, each about another document."""
    for n in range(1, number + 1):
        document = f"{queue}-{n}"
        trial.channel.basic_publish(
            "",
            queue,
            json.dumps({"type": "document.created", "document": document}),
            pika.BasicProperties(message_id=document, delivery_mode=2),
        )


def declare(trial: Trial, queue: str) -> None:
    """Declare a queue as the brief describes it."""
    trial.channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "classic"})


def ready(trial: Trial, queue: str) -> int:
    """Return the number of ready events in a queue."""
    return int(trial.channel.queue_declare(queue, passive=True).method.message_count)


def start(trial: Trial, host: Host, queue: str, proxy: Proxy, *, restarts: int = 0) -> Actor:
    """Start a worker on its host."""
    url = amqp_url(via=proxy) if host.far else trial.url
    arguments = (url, trial.store, queue, host.service_time_s, host.round_trip_s)
    return trial.start(ROLE, *arguments, name=host.name, restarts=restarts)


def wait_for_deaths(trial: Trial, queues: Sequence[str]) -> None:
    """Wait until the queues have no consumer: then all that was held is requeued."""

    def gone() -> bool:
        return not any(
            trial.channel.queue_declare(queue, passive=True).method.consumer_count
            for queue in queues
        )

    trial.watch.settle(gone, timeout_s=10, quiet_s=10)


def windows(trial: Trial, hosts: Sequence[Host], proxy: Proxy) -> list[Window]:
    """Hold each worker in its first event, count what it holds, let it run on, and kill it.

    Each has a separate, full queue. Workers far away start first, since they take longest; all run
    on from the same moment.
    """
    trial.fresh(TABLE)
    queues = {host: f"thumbnails-{n}" for n, host in enumerate(hosts, 1)}
    for host, queue in queues.items():
        declare(trial, queue)
        publish(trial, queue, host.events)
    trial.watch.settle(
        lambda: all(ready(trial, queues[host]) == host.events for host in hosts), quiet_s=10
    )
    release, reached = threading.Event(), set()
    made: dict[str, list[float]] = defaultdict(list)

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if boundary.details.get("committed"):
            made[actor.name].append(boundary.t_s)
        if boundary.at == "before effect" and not release.is_set():
            reached.add(actor.name)
            return release
        return "go"

    trial.direct = direct
    measured = []
    try:
        for far in (True, False):
            group = [
                Window(host, start(trial, host, queue, proxy))
                for host, queue in queues.items()
                if host.far == far
            ]
            stopped(trial, group, reached)
            for window in group:
                if window.host.name not in reached:
                    end = "" if window.actor.running else f"{ROLE}() came to its end"
                    window.trouble = window.actor.error or end or "it takes no event"
                    window.why = "raised" if window.actor.error else "not-done"
                window.parallel = window.number("before effect")
                left = ready(trial, queues[window.host])
                window.held = window.host.events - left - len(made[window.host.name])
            measured += group
        release.set()
        near = next((window for window in measured if window.host == NEAR_FAST), None)
        if near and not near.trouble:
            trial.watch.settle(
                lambda: len(made[near.host.name]) >= PACE or not near.actor.running,
                timeout_s=15,
                quiet_s=PATIENCE_S,
            )
    finally:
        release.set()
        trial.direct = go_on
    trial.end()
    wait_for_deaths(trial, list(queues.values()))
    for window in measured:
        window.times = made[window.host.name]
        back = trial.take_all(queues[window.host])
        window.returned = sum(method.redelivered for method, _, _ in back)
    return measured


def stopped(trial: Trial, group: Sequence[Window], reached: set[str]) -> None:
    """Wait until each worker is held or has ended, and the broker has delivered."""
    trial.watch.settle(
        lambda: all(window.host.name in reached or not window.actor.running for window in group),
        timeout_s=START_S,
        quiet_s=PATIENCE_S,
    )
    trial.watch.calm(0.2)  # the broker delivers the whole window at once


def pace(measured: Sequence[Window]) -> tuple[int, int]:
    """Return the thumbnails made next door and far away in the same time, by equal workers."""
    times = {window.host: window.times for window in measured}
    near, far = times.get(NEAR_FAST, []), times.get(FAR_FAST, [])
    if len(near) < PACE:
        return 0, 0  # without a running worker next door there is no comparison
    return PACE, sum(t <= near[PACE - 1] for t in far)
