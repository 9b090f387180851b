"""Fleets of lab 9: a slow and a fast worker share a queue, next door and far away.

Times are compared with those of the workers next door in the same play.
"""

import math
import time
from dataclasses import dataclass, field

from helpers.chaos import Proxy
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.trial import Trial, go_on
from labs.lab09_prefetch import cases
from labs.lab09_prefetch.cases import FAR_FAST, FAR_SLOW, NEAR_FAST, NEAR_SLOW, Host

MOST_TIMES = 3.0  # the time of the best fleet


@dataclass
class Fleet:
    """A slow and a fast worker on one queue, and their results."""

    queue: str
    slow: Host
    fast: Host
    events: int = 100
    ended: str = ""  # how a worker has ended
    returned: bool = False  # without an error
    made: dict[Host, list[float]] = field(default_factory=dict)
    took_s: float = 0.0
    best_s: float = 0.0

    @property
    def done(self) -> int:
        """Number of thumbnails."""
        return sum(map(len, self.made.values()))

    @property
    def stranded(self) -> int:
        """Thumbnails that the slow worker made after the last one of the fast worker."""
        last = max(self.made[self.fast], default=math.inf)
        return sum(t > last for t in self.made[self.slow])

    @property
    def hoarded(self) -> bool:
        """Whether too many events waited for the slow worker while the fast one was idle."""
        return self.stranded > self.slow.most

    @property
    def late(self) -> bool:
        """Whether it took far longer than the best fleet."""
        return self.took_s > MOST_TIMES * self.best_s


def race(trial: Trial, proxy: Proxy) -> list[Fleet]:
    """Let two fleets work at the same time, one next door and one far away."""
    trial.fresh(cases.TABLE)
    fleets = [
        Fleet("thumbnails-near", NEAR_SLOW, NEAR_FAST),
        Fleet("thumbnails-far", FAR_SLOW, FAR_FAST),
    ]
    hosts = {host.name: host for host in (NEAR_SLOW, NEAR_FAST, FAR_SLOW, FAR_FAST)}
    made: dict[Host, list[float]] = {host: [] for host in hosts.values()}

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if boundary.details.get("committed"):
            made[hosts[actor.name]].append(boundary.t_s)
        return "go"

    trial.direct = direct
    try:
        actors: dict[str, list[Actor]] = {}
        for fleet in fleets:
            cases.declare(trial, fleet.queue)
            fleet.made = {host: made[host] for host in (fleet.slow, fleet.fast)}
            actors[fleet.queue] = [
                cases.start(trial, host, fleet.queue, proxy) for host in fleet.made
            ]
        workers = [actor for group in actors.values() for actor in group]
        trial.watch.settle(
            lambda: all(actor.subscribed or not actor.running for actor in workers),
            timeout_s=cases.START_S,
            quiet_s=cases.PATIENCE_S,
        )
        for fleet in fleets:
            ended = [actor for actor in actors[fleet.queue] if not actor.running]
            if ended:
                fleet.returned = ended[0].returned
                how = f"ended with {ended[0].error}"
                how = "returned while its queue was empty" if fleet.returned else how
                fleet.ended = f"{ended[0].name} {how}"
        began = time.monotonic()
        for fleet in fleets:
            cases.publish(trial, fleet.queue, fleet.events)

        def over(fleet: Fleet) -> bool:
            measure(fleet, made, began)
            if fleet.ended or fleet.done >= fleet.events or fleet.late:
                return True
            return fleet.hoarded and not cases.ready(trial, fleet.queue)

        def all_over() -> bool:
            return all([over(fleet) for fleet in fleets])  # noqa: C419  (each must be measured)

        trial.watch.settle(all_over, timeout_s=30, quiet_s=cases.PATIENCE_S)
    finally:
        trial.direct = go_on
    trial.end()
    return fleets


def measure(fleet: Fleet, made: dict[Host, list[float]], began: float) -> None:
    """Set the time so far, and the best time at the present speed of the workers next door."""
    if fleet.late:
        return
    whole = fleet.done >= fleet.events
    ends = max(t for times in fleet.made.values() for t in times) if whole else time.monotonic()
    fleet.took_s = ends - began
    rate = 0.0
    for like in (NEAR_SLOW, NEAR_FAST):
        times = made[like]
        mean_s = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
        rate += 1 / max(like.service_time_s, mean_s)
    fleet.best_s = fleet.events / rate + fleet.slow.round_trip_s
