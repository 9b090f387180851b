"""A night on call: run systems, ask the learner's code about them, carry out its actions."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from helpers import broker, incidents
from helpers.errors import BrokerNotFoundError
from helpers.waits import wait_until
from labs.judge.trial import Trial
from labs.lab10_on_call.cases import POISON
from labs.lab10_on_call.incident_system import OLD, RUNBOOK, System
from labs.lab10_on_call.readings import Place, Reader, Reading, alone

EVERY_S = 0.4
READINGS = 8
BEGIN_S = 60.0  # on a busy machine; else 2 s
ANSWER_S = 10.0
RECOVERY_S = 45.0  # working off a backlog takes 5 s
QUIET_S = 15.0  # without progress for so long, none is expected
CALM_S = 1.6  # several readings
MOST_ACTIONS = 2
BLOCKED, HEALTHY = "publisher blocked", "healthy growth"


@dataclass
class Night:
    """One system with its readings, the learner's answer, and the results of the actions."""

    system: System
    before: list[Reading]
    cause: str = ""
    actions: list[str] = field(default_factory=list)
    trouble: str = ""  # why there is no valid answer
    why_no_answer: str = ""  # the name of the belief behind it
    due: set[str] = field(default_factory=set)
    after: list[Reading] = field(default_factory=list)
    handled: set[str] | None = None  # at the end of the night

    @property
    def incident(self) -> str:
        """The true incident."""
        return self.system.incident

    def take(self, answer: Any, error: str) -> None:
        """Store the return value of the learner's function."""
        cause, actions = None, None
        if isinstance(answer, dict):
            cause, actions = answer.get("cause"), answer.get("actions")
        self.why_no_answer = "raised" if error else "not-done"
        if error:
            self.trouble = error
        elif str(cause) not in incidents.BY_NAME or not isinstance(actions, list):
            self.trouble = f"on_call() returned {str(answer)[:80]}: no cause with its actions"
        elif wrong := [action for action in actions if str(action) not in RUNBOOK]:
            self.trouble = f"the runbook has no action {str(wrong[0])[:40]!r}"
        elif len(actions) > MOST_ACTIONS:
            self.trouble = f"{len(actions)} actions are more than {MOST_ACTIONS}"
        else:
            self.cause, self.actions = str(cause), [str(action) for action in actions]

    def repair(self) -> None:
        """Carry out the actions; all events published so far are due."""
        for action in self.actions:
            self.system.do(action)
        self.due = set(self.system.state.outbox)

    @property
    def left(self) -> set[str]:
        """The due events that were not handled, without the poison."""
        handled = self.system.state.handled if self.handled is None else self.handled
        return self.due - handled - {POISON}

    @property
    def repeats_per_s(self) -> float:
        """Redeliveries a second in the last readings."""
        lately = [
            reading for reading in self.after if reading["t_s"] >= self.after[-1]["t_s"] - CALM_S
        ]
        counts = [reading["redelivered"] for reading in lately]
        # The counts of a consumer vanish some time after its end, so only increases count.
        steps = [max(0.0, after - before) for before, after in pairwise(counts)]
        return sum(steps) / max(lately[-1]["t_s"] - lately[0]["t_s"], EVERY_S)

    @property
    def stands_still(self) -> bool:
        """Whether the publisher has published nothing since the actions, although it should."""
        return self.system.state.case.most is None and len(self.system.state.outbox) <= len(
            self.due
        )

    @property
    def over(self) -> bool:
        """Whether every event is handled, the poison is dead-lettered, and the system runs on."""
        if not self.after or self.after[-1]["t_s"] - self.after[0]["t_s"] < CALM_S:
            return False
        put_aside = (self.due & {POISON} | set(OLD)) - self.system.state.handled
        dead = self.after[-1]["dead_letters"]
        return not (self.left or self.repeats_per_s or self.stands_still or dead != len(put_aside))

    @cached_property
    def places(self) -> dict[str, int]:
        """Numbers of unhandled events by place; to be read after the system has ended."""
        unhandled = (self.due | set(OLD)) - self.system.state.handled
        dead = self.system.left_in(self.system.state.dlq, ()) & unhandled
        waiting = self.system.left_in(self.system.state.queue, unhandled - dead) & unhandled
        lost = unhandled - dead - waiting
        waited = len(self.left - dead - lost)
        return {"waiting": waited, "dead": len(dead & self.left), "lost": len(lost)}


def start(systems: Sequence[System]) -> None:
    """Start systems, and wait until their incidents show."""
    for system in systems:
        system.start()
    begun = lambda: all(system.begun for system in systems)  # noqa: E731
    wait_until(begun, timeout_s=BEGIN_S, what="all systems to run")


def observe(systems: Sequence[System], reader: Reader) -> list[Night]:
    """Read the numbers of running systems."""
    reader.read()  # this reading may still show the start
    readings = []
    for _ in range(READINGS):
        time.sleep(EVERY_S)
        readings.append(reader.read())
    return [
        Night(system, list(before))
        for system, before in zip(systems, zip(*readings, strict=True), strict=True)
    ]


def ask(trial: Trial, nights: Sequence[Night]) -> None:
    """Ask the learner's code about each system, in a separate process each."""
    actors = [trial.start("on_call", night.before) for night in nights]
    ended = lambda: not any(actor.running for actor in actors)  # noqa: E731
    trial.watch.settle(ended, timeout_s=ANSWER_S, quiet_s=ANSWER_S)
    for actor, night in zip(actors, nights, strict=True):
        error = f"on_call() ended with {actor.error}" if actor.error else ""
        if not error and not actor.returned:
            error = f"on_call() did not return within {ANSWER_S:g} s"
        night.take(actor.result, error)


def recover(trial: Trial, nights: Sequence[Night], reader: Reader) -> None:
    """Carry out the actions, and read until all incidents are over or progress stops."""
    for night in nights:
        night.repair()
    seen: dict[str, Any] = {"state": None, "changed_s": time.monotonic(), "read_s": 0.0}
    # A wrong cause is judged already, and a healthy system needs no wait.
    repaired = [
        night for night in nights if night.cause == night.incident and night.cause != HEALTHY
    ]

    def look() -> bool:
        now_s = time.monotonic()
        if now_s - seen["read_s"] < EVERY_S:
            return False
        seen["read_s"] = now_s
        for night, reading in zip(nights, reader.read(), strict=True):
            night.after.append(reading)
        state = [(len(night.left), night.over) for night in repaired]
        if state != seen["state"]:
            seen.update(state=state, changed_s=now_s)
        return all(over for _, over in state) or now_s - seen["changed_s"] > QUIET_S

    trial.watch.settle(look, timeout_s=RECOVERY_S, quiet_s=RECOVERY_S)
    for night in nights:
        # Before `end`: events that are still in work then do not count as handled.
        night.handled = set(night.system.state.handled)
    for night in nights:
        night.system.end()


class OwnNode:
    """A separate node with a blocked publisher, prepared in the background."""

    def __init__(self, dice: random.Random) -> None:
        """Prepare without a node; `with` starts it, `result` waits for it."""
        self._stack, self._dice = ExitStack(), dice
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._ready = self._pool.submit(self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)
        self._stack.close()

    def result(self) -> tuple[list[Night], Reader] | None:
        """Return the night and its reader; None when this machine has no RabbitMQ to start."""
        return self._ready.result()

    def _begin(self) -> tuple[list[Night], Reader] | None:
        try:
            node = self._stack.enter_context(broker.disposable())
        except BrokerNotFoundError:
            return None
        place: Place = alone(node)
        system = System(BLOCKED, place, self._dice)
        self._stack.callback(system.end)
        start([system])
        place.set_memory_limit("absolute", "1MB")
        reader = Reader(place, [system.state])
        return observe([system], reader), reader
