"""Shared by the plays of lab 4: the outbox, the queue, and a hold for a process."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from helpers import broker
from labs.judge.actor import Actor, Boundary
from labs.judge.faults import WRITES, Order
from labs.judge.findings import Finding
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on

QUEUE = "receipts"
TABLES = (
    "outbox (payment TEXT PRIMARY KEY, cents INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0)",
    "receipts (payment TEXT NOT NULL, cents INTEGER NOT NULL)",
)
QUIET_S = 3.0  # without a boundary for so long, no further one is expected
CUTS = 7


class Hold:
    """Hold the process that reaches a boundary as the ``number``-th one."""

    def __init__(self, trial: Trial, at: str, number: int = 1) -> None:
        self.boundary: Boundary | None = None
        self._trial, self._at, self._left = trial, at, number
        self._gate = threading.Event()
        trial.direct = self._direct

    def reached(self) -> bool:
        """Wait until a process is held; return False if none gets there."""
        wanted = self._trial.watch.settle(lambda: self.boundary, quiet_s=QUIET_S)
        return wanted is not None

    def release(self) -> None:
        """Let the process go on, and hold no other one."""
        self._trial.direct = go_on
        self._gate.set()

    def _direct(self, actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == self._at:
            self._left -= 1
            if self._left == 0:
                self.boundary = boundary
                return self._gate
        return "go"


def prepare(trial: Trial, payments: Iterable[int]) -> None:
    """Start over with these payments in the outbox, and let the learner declare the queue."""
    trial.fresh(*TABLES)
    book(trial, payments)
    declare(trial, trial.url)


def prepare_as_known(trial: Trial, payments: Iterable[int], queue: dict[str, Any]) -> None:
    """Do as `prepare`, but quicker: repeat the learner's declaration of the queue."""
    channel = trial.fresh(*TABLES)
    book(trial, payments)
    kind: dict[str, Any] = {key: queue[key] for key in ("durable", "auto_delete")}
    channel.queue_declare(QUEUE, arguments=queue["arguments"], **kind)


def book(trial: Trial, payments: Iterable[int]) -> None:
    """Add payments to the outbox, as the checkout does."""
    with trial.writing() as db:
        rows = [(name(number), cents(number)) for number in payments]
        db.executemany("INSERT INTO outbox (payment, cents) VALUES (?, ?)", rows)


def declare(trial: Trial, url: str) -> None:
    """Let the learner declare the queue; later plays notice a missing queue."""
    actor = trial.start("declare", url)
    trial.watch.settle(lambda: not actor.running, quiet_s=QUIET_S)
    actor.kill()


def send(trial: Trial, *, url: str = "", store: str = "", restarts: int = 3) -> bool:
    """Let a running or a new publisher send what is left; return whether it returned."""
    running = sum(actor.running and not actor.returned for actor in publishers(trial))
    first = len(publishers(trial)) - running
    if not running:
        arguments = (url or trial.url, store or trial.store)
        trial.start("run_publisher", *arguments, name="publisher", restarts=restarts)
    returned = trial.watch.settle(
        lambda: any(actor.returned for actor in publishers(trial)[first:]), quiet_s=QUIET_S
    )
    return bool(returned)


def publishers(trial: Trial) -> list[Actor]:
    """Return all publishers since the play began."""
    return [actor for actor in trial.actors if actor.role == "run_publisher"]


def over(trial: Trial, lives: int) -> bool:
    """Return whether the publisher has returned, or has died ``lives`` times."""
    actors = publishers(trial)
    dead = len(actors) >= lives and not any(actor.running for actor in actors)
    return dead or any(actor.returned for actor in actors)


def lost(trial: Trial, payments: range) -> list[str]:
    """End all actors, and return the payments that are not in the queue."""
    trial.end()
    wanted = [name(number) for number in payments]
    arrived = {message[1].message_id for message in trial.take_all(QUEUE, expected=wanted)}
    return [message for message in wanted if message not in arrived]


def described() -> dict[str, Any]:
    """Return the queue as the management API describes it; empty for a missing queue."""
    listed = broker.api("GET", "queues/{vhost}?disable_stats=true")
    return next((dict(queue) for queue in listed if queue["name"] == QUEUE), {})


def at_each_point(
    trial: Trial, play: Callable[[], Finding | None], *, role: str, least: int
) -> Any:
    """Let a process die at each point, each write fail, and every second point cut it off."""
    return crash_points(
        trial, play, actions=("kill", "fail"), failures=WRITES, role=role, least=least
    ) or crash_points(trial, play, actions=("cut",), role=role, least=least, most=CUTS)


def acked(trial: Trial, message: str) -> bool:
    """Return whether a payment was acked, alone or together with others."""
    return bool(trial.history.events("ack", message=message))


def wrote_in_vain(trial: Trial, actor: str) -> bool:
    """Return whether a process wrote to the store, and none of its name has committed."""
    mine = [boundary for boundary in trial.watch.boundaries if boundary.actor == actor]
    wrote = any(boundary.at == "after effect" for boundary in mine)
    return wrote and not any(boundary.details.get("committed") for boundary in mine)


def receipts(trial: Trial) -> Counter[str]:
    """Count the receipts of each payment; those of another amount do not count."""
    rows = trial.rows("SELECT payment, cents FROM receipts")
    amounts = {name(number): cents(number) for number in range(100)}
    return Counter(str(payment) for payment, amount in rows if amounts.get(payment) == amount)


def unsent(trial: Trial) -> set[str]:
    """Return the payments that are not marked as sent in the outbox."""
    return {str(payment) for (payment,) in trial.rows("SELECT payment FROM outbox WHERE NOT sent")}


def body(number: int) -> dict[str, Any]:
    """Return what the message of a payment says, as the brief gives it."""
    return {"payment": name(number), "cents": cents(number)}


def says(text: bytes, wanted: dict[str, Any]) -> bool:
    """Return whether a message is JSON, and says this, whatever else it says."""
    try:
        given = json.loads(text)
    except ValueError:
        return False
    return isinstance(given, dict) and wanted.items() <= given.items()


def name(number: int) -> str:
    """Return the id of a payment and of its message."""
    return f"payment-{number}"


def cents(number: int) -> int:
    """Return the amount of a payment."""
    return 100 + number
