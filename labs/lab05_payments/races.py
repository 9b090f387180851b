"""Two workers that are at work on one payment, on two payments, or on two statuses, at once."""

import threading
import time
from collections.abc import Callable

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial, go_on
from labs.lab05_payments.cases import (
    pay,
    prepare,
    set_status,
    settle,
    settled,
    status,
    twice,
)

HELD_S = 4.0  # the judge holds a process for 5 s at most
LEAST_S = 0.4  # for the second worker to come as far as the first


def raced(trial: Trial, *, statuses: bool) -> Broken | None:
    """Hold two workers before they write, in three plays, and then let both go on.

    Args:
        trial: the trial.
        statuses: whether to send statuses, too; not where statuses do not work anyway.
    """
    plays = [same_payment, two_payments, *([two_statuses] if statuses else [])]
    for play in plays:
        broken = play(trial, 1)
        if not broken and writes_apart(trial):
            broken = play(trial, 2)  # what was looked up between the two writes
        if broken:
            return broken
    return None


def same_payment(trial: Trial, nth: int) -> Broken | None:
    """Give both workers the same payment."""

    def send() -> None:
        for _ in range(2):
            pay(trial, 0, message_id="m-1")

    race(trial, nth, send)
    times = settle(trial, 2, [1])[0]
    if times == 1:
        return None
    if times == 0:
        return Broken("f", f"{trial.history.story('m-1')}: never charged", "not-done")
    return Broken("f", f"sent twice, {twice(trial, 'm-1')}", "check-then-insert")


def two_payments(trial: Trial, nth: int) -> Broken | None:
    """Give each worker a payment of the same account."""

    def send() -> None:
        pay(trial, 0, message_id="m-1")
        pay(trial, 1, message_id="m-2")

    race(trial, nth, send)
    if (times := settle(trial, 2, [1, 1])) == [1, 1]:
        return None
    story = (
        f"two payments of one account, at the same moment, count {times[0]} and {times[1]} times"
    )
    why = "check-then-insert" if settled(trial) >= 2 else "not-done"
    return Broken("f", f"{story}: {trial.history.story('m-1')}", why)


def two_statuses(trial: Trial, nth: int) -> Broken | None:
    """Give each worker a status of the same account; the older one is written last."""

    def send() -> None:
        set_status(trial, 10, "active", message_id="m-2")
        set_status(trial, 11, "closed", message_id="m-3")

    race(trial, nth, send, first="m-3")
    trial.watch.settle(lambda: settled(trial) >= 3)
    trial.watch.calm(0.15)
    if (found := status(trial)) == ("closed", 11):
        return None
    story = "version 11 'closed' and version 10 'active' are worked on at the same moment"
    why = "check-then-insert" if found == ("active", 10) else "not-done"
    return Broken("f", f"{story}; the store says {found}: {trial.history.story('m-2')}", why)


def race(trial: Trial, nth: int, send: Callable[[], None], *, first: str = "") -> None:
    """Let two workers get what ``send`` publishes, and hold both before their n-th write.

    Args:
        trial: the trial.
        nth: 1 or 2.
        send: publishes two messages.
        first: the message that is done before the other one goes on; "": none.
    """
    prepare(trial)
    workers = [
        trial.start("run_worker", trial.url, trial.store, name=f"worker {number}", restarts=2)
        for number in (1, 2)
    ]
    if first:
        set_status(trial, 9, "open", message_id="m-1")
        trial.watch.settle(lambda: settled(trial))
    trial.watch.settle(lambda: all(worker.subscribed or worker.boundaries for worker in workers))
    gates = Gates(trial, nth)
    try:
        send()
        gates.wait()
        trial.direct = go_on
        if first in gates.held:
            gates.held[first].set()
            trial.watch.settle(
                lambda: trial.watch.count("after ack", first), timeout_s=HELD_S, patience_s=HELD_S
            )
    finally:
        trial.direct = go_on
        for gate in gates.held.values():
            gate.set()


class Gates:
    """Holds each worker before its n-th write for its first message."""

    def __init__(self, trial: Trial, nth: int) -> None:
        """Begin to hold the workers of a trial.

        Args:
            trial: the trial.
            nth: 1 for the first write, 2 for the second.
        """
        self.held: dict[str, threading.Event] = {}  # by message
        self._trial, self._nth = trial, nth
        self._got: dict[str, Boundary] = {}  # the first delivery, by the actor's key
        self._writes: dict[str, int] = {}
        self._needed_s = 0.0  # from a delivery to the write
        trial.direct = self._direct

    def _direct(self, actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == "delivery":
            self._got.setdefault(actor.key, boundary)
        if boundary.at != "before effect" or actor.key not in self._got:
            return "go"
        self._writes[actor.key] = self._writes.get(actor.key, 0) + 1
        if self._writes[actor.key] != self._nth:
            return "go"
        delivery = self._got[actor.key]
        self._needed_s = max(self._needed_s, boundary.t_s - delivery.t_s)
        name = delivery.message if delivery.message not in self.held else actor.key
        self.held[name] = threading.Event()
        return self.held[name]

    def wait(self) -> None:
        """Wait until both workers are held, or one is and the other one does not get there.

        In correct code one worker may wait for the other one's lock. So from its delivery on, the
        second worker gets as long as the first one has needed, and a bit.
        """
        watch = self._trial.watch
        watch.settle(lambda: self.held and len(self._got) > 1, patience_s=HELD_S)
        end_s = time.monotonic() + 1.5 * self._needed_s + LEAST_S
        watch.settle(lambda: len(self.held) > 1 or time.monotonic() > end_s, patience_s=HELD_S)


def writes_apart(trial: Trial) -> bool:
    """Return whether a worker committed a write, and wrote once more for the same delivery."""
    for actor in trial.actors:
        committed = False
        for boundary in list(actor.boundaries):
            if boundary.at == "delivery":
                committed = False
            elif boundary.at == "before effect" and committed:
                return True
            elif boundary.details.get("committed"):
                committed = True
    return False
