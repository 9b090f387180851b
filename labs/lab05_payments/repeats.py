"""Payments that come again: by the broker, by their publisher, in other bytes, late."""

import time
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.trial import Trial, go_on
from labs.lab05_payments.cases import (
    counts,
    pay,
    prepare,
    publish,
    settle,
    settled,
    twice,
    undone,
)

LATE_S = 3.0  # a memory that is shorter than this is found out
FEW, MANY = 10, 100  # payments between a payment and its repetition; fewer if they take long
QUICK_S = 4.0  # for the first few


class Repeats:
    """The plays about repetitions, which share one store: the last one comes at the very end."""

    def __init__(self, trial: Trial) -> None:
        """Prepare the plays.

        Args:
            trial: the trial.
        """
        self._trial = trial
        self.works = False  # whether a payment is counted and acked at all
        self.by_broker = self.by_publisher = True  # whether such a repetition counts once
        self.unchanged = True  # whether the same message, sent again, counts once
        self.pace_s = 0.0  # from the start of a worker to its first ack
        self._store, self._ended_s = "", 0.0

    def play(self) -> Iterator[Finding]:
        """Send a payment, and then again: the same message, redelivered, as another message."""
        trial = self._trial
        prepare(trial)
        self._store = trial.store
        began_s = time.monotonic()
        worker = trial.start("run_worker", trial.url, trial.store, name="worker", restarts=3)
        pay(trial, 0, message_id="m-1")
        if (times := settle(trial, 1, [1])) != [1]:
            yield from self._useless(times[0])
            return
        if not settled(trial):
            story = f"{trial.history.story('m-1')}, and then nothing"
            yield Broken("e", story, "never-acked")
            yield from (NotSeen(key, "no message is acked, so no other follows") for key in "abcdf")
            return
        self.works, self.pace_s = True, time.monotonic() - began_s
        pay(trial, 0, message_id="m-1")
        again = settle(trial, 2, [1])[0]
        as_another = None if again > 1 else self._as_another()
        redelivered = self._redelivered(worker)
        self.by_broker = redelivered == 1
        if redelivered == 0:
            yield Broken("a", f"{trial.history.story('m-2')}: never charged", why_skipped(trial))
        elif redelivered > 1:
            why = "exactly-once-delivery" if again > 1 else "memory-set"
            yield Broken("a", twice(trial, "m-2"), why)
        if again > 1:
            self.by_publisher = self.unchanged = False
            # A redelivery counted once: it is only the publisher's repetition that does not.
            why = "only-redelivered-repeats" if self.by_broker else "exactly-once-delivery"
            yield Broken("b", f"its publisher sent it twice, {twice(trial, 'm-1')}", why)
        elif as_another:
            self.by_publisher = False
            yield as_another
        trial.end()
        self._ended_s = time.monotonic()

    def _useless(self, times: int) -> Iterator[Finding]:
        if times:
            story = f"the payment counts {times} times: {self._trial.history.story('m-1')}"
            yield Broken("a", story, "not-done")
        else:
            yield undone(self._trial, "a", "m-1")
        why = self._trial.trouble() or "not even one payment that comes once counts once"
        yield from (NotSeen(key, why) for key in "bcdef")

    def _redelivered(self, worker: Actor) -> int:
        """Kill the worker before its ack; return how often the payment counts then."""
        trial, killed = self._trial, []

        def direct(actor: Actor, boundary: Boundary) -> Order:
            if not killed and boundary.at == "before ack" and "m-2" in boundary.messages:
                killed.append(boundary)
                return "kill"
            return "go"

        trial.direct = direct
        try:
            pay(trial, 1, message_id="m-2")
            number = settled(trial) + 1
            times = settle(trial, number, [1, 1])[1]
        finally:
            trial.direct = go_on
        if not killed:  # it never acks, as with auto_ack: then the same message comes once more
            worker.kill()
            trial.history.record("crash", "m-2", actor="worker")
            pay(trial, 1, message_id="m-2")
            times = settle(trial, number + 1, [1, 1])[1]
        return times

    def _as_another(self) -> Broken | None:
        """Send the payment as another message, in other bytes, and after many others."""
        trial = self._trial
        repetitions = (("m-3", False, "message-is-payment"), ("m-4", True, "same-bytes"))
        for message, other, why in repetitions:
            pay(trial, 0, message_id=message, other=other)
            if settle(trial, settled(trial) + 1, [1]) != [1]:
                return self._again(message, why)
        number = self._others()
        pay(trial, 0, message_id="m-5", other=True)
        if settle(trial, settled(trial) + 1, [1]) != [1]:
            return self._again("m-5", "memory-ends", f"after {number} other payments")
        return None

    def _others(self) -> int:
        """Let the worker count other payments; return their number."""
        trial, paid = self._trial, 0
        for number in (FEW, MANY - FEW):
            began_s, target = time.monotonic(), settled(trial) + number
            for _ in range(number):
                event = {"type": "payment.captured", "payment": f"other-{paid}", "account": "ben"}
                publish(trial, event | {"cents": 1}, f"other-{paid}")
                paid += 1
            trial.watch.settle(lambda target=target: settled(trial) >= target, timeout_s=60)
            if time.monotonic() - began_s > QUICK_S:
                break
        return paid

    def late(self) -> Iterator[Finding]:
        """Send the payment once more, some seconds after it was counted, to a new worker."""
        trial = self._trial
        prepare(trial)
        trial.watch.calm(max(0.0, self._ended_s + LATE_S - time.monotonic()))
        before = counts(trial, 1, store=self._store)
        trial.start("run_worker", trial.url, self._store, name="worker", restarts=2)
        pay(trial, 0, message_id="m-6", other=True)
        times = settle(trial, 1, before, store=self._store)
        if times > before:
            gone_s = time.monotonic() - self._ended_s
            yield self._again(
                "m-6", "memory-ends", f"more than {int(gone_s)} s after its first message"
            )

    def _again(self, message: str, why: str, when: str = "") -> Broken:
        moment = f", {when}" if when else ""
        story = f"the payment was counted before{moment}; {self._trial.history.story(message)}"
        return Broken("b", f"{story}: charged twice", why)


def why_skipped(trial: Trial) -> str:
    """Return the belief behind a redelivered payment that was never counted."""
    return "not-done" if trial.trouble() else "redelivered-means-done"
