"""Lab 5: payments that count exactly once, through repeats, reordering and deaths.

Each amount is a power of ten, so each digit of the balance is the number of times that one payment
was added: 1021 is one of 1, two of 10, none of 100, one of 1000.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pika

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.model import Lab
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial, go_on

QUEUE = "payments"
TABLES = (
    "balances (account TEXT PRIMARY KEY, cents INTEGER NOT NULL)",
    "accounts (account TEXT PRIMARY KEY, status TEXT NOT NULL, version INTEGER NOT NULL)",
)


def check(trial: Trial) -> Iterator[Broken]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    known = ""  # belief behind a repeated payment that counts twice
    if broken := repeated(trial):
        yield broken
        known = broken.misconception
        if known in ("not-done", "exactly-once-delivery"):
            yield replace(broken, requirement="b")
    for broken in (alike(trial), reordered(trial), killed(trial, known), raced(trial, known)):
        if broken:
            yield broken


LAB = Lab(
    number=5,
    title="Payments that count once",
    question="q05_idempotency",
    requirements={
        "a": "a payment that is delivered again counts once",
        "b": "a payment that its publisher sends again, as a new message, counts once",
        "c": "two payments of the same amount count twice: they are two",
        "d": "a status that arrives late never replaces a newer one",
        "e": "each payment counts once when the worker is killed or cut off at any point",
        "f": "each payment counts once when two workers get it at the same moment",
    },
    roles=("run_worker(url, store)",),
    check=check,
)


def publish(trial: Trial, event: dict[str, object], message_id: str) -> None:
    """Publish one event, persistent, and wait for its confirm."""
    trial.channel.basic_publish(
        "", QUEUE, json.dumps(event), pika.BasicProperties(message_id=message_id, delivery_mode=2)
    )


def prepare(trial: Trial) -> None:
    """Start over with the queue and an empty store."""
    channel = trial.fresh(*TABLES)
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()


def pay(trial: Trial, digit: int, *, message_id: str, payment: str = "") -> None:
    """Publish the payment of 10^digit cents."""
    event = {
        "type": "payment.captured",
        "payment": payment or f"payment-{digit}",
        "account": "anna",
        "cents": 10**digit,
    }
    publish(trial, event, message_id)


def counts(trial: Trial, digits: int) -> list[int]:
    """Return how often each payment was added, by its digit, modulo 10."""
    rows = trial.rows("SELECT cents FROM balances WHERE account = 'anna'")
    total = int(rows[0][0]) if rows else 0
    return [total // 10**digit % 10 for digit in range(digits)]


def settle(trial: Trial, number: int, expected: list[int]) -> list[int]:
    """Wait for ``number`` acks and for the expected counts; return the counts when all is quiet."""
    trial.watch.settle(lambda: trial.watch.count("after ack") >= number)
    trial.watch.settle(lambda: counts(trial, len(expected)) == expected)
    trial.watch.calm(0.2)  # an effect may follow the ack
    return counts(trial, len(expected))


def repeated(trial: Trial) -> Broken | None:
    """Send a payment twice, then under another message id, then to a restarted worker."""
    prepare(trial)
    worker = trial.start("run_worker", trial.url, trial.store, name="worker", restarts=2)
    pay(trial, 0, message_id="m-1")
    if (times := settle(trial, 1, [1])) != [1]:
        story = trial.trouble() or trial.history.story("m-1")
        return Broken("a", f"the payment counts {times[0]} times: {story}", "not-done")
    pay(trial, 0, message_id="m-1")
    if settle(trial, 2, [1]) != [1]:
        return Broken("a", twice(trial, "m-1"), "exactly-once-delivery")
    pay(trial, 0, message_id="m-2")
    if settle(trial, 3, [1]) != [1]:
        return Broken("b", f"one payment, {twice(trial, 'm-2')}", "message-is-payment")
    worker.kill()
    trial.history.record("crash", "m-1", actor="worker")
    pay(trial, 0, message_id="m-1")
    if settle(trial, 4, [1]) != [1]:
        return Broken("a", twice(trial, "m-1"), "memory-set")
    return None


def alike(trial: Trial) -> Broken | None:
    """Send two payments of the same amount."""
    prepare(trial)
    trial.start("run_worker", trial.url, trial.store, restarts=2)
    pay(trial, 0, message_id="m-1", payment="payment-1")
    pay(trial, 0, message_id="m-2", payment="payment-2")
    if (times := settle(trial, 2, [2])) == [2]:
        return None
    if never := unacked(trial, "c", "m-2"):
        return never
    story = f"payment-1 and payment-2 of 1 cent each were sent, and the balance is {times[0]} cents"
    return Broken("c", story, "same-content-same-message" if times == [1] else "not-done")


def reordered(trial: Trial) -> Broken | None:
    """Send a newer status, then an older one."""
    prepare(trial)
    trial.start("run_worker", trial.url, trial.store, restarts=2)
    for version, status in ((1, "open"), (3, "closed"), (2, "active")):
        event = {"type": "account.status", "account": "anna", "status": status, "version": version}
        publish(trial, event, f"m-{version}")
    settle(trial, 3, [])
    rows = trial.rows("SELECT status, version FROM accounts WHERE account = 'anna'")
    if rows == [("closed", 3)]:
        return None
    if never := unacked(trial, "d", "m-2"):
        return never
    story = f"version 3 'closed' was delivered, then version 2 'active'; the store says {rows}"
    return Broken("d", story, "set-is-safe" if rows == [("active", 2)] else "not-done")


def killed(trial: Trial, known: str) -> Broken | None:
    """Kill the worker, or cut its connection, at each point of two payments."""

    def play() -> Broken | None:
        prepare(trial)
        pay(trial, 0, message_id="m-0")
        pay(trial, 1, message_id="m-1")
        trial.start("run_worker", trial.url, trial.store, name="worker", restarts=3)
        acked = ("m-0", "m-1")
        trial.watch.settle(
            lambda: (
                counts(trial, 2) == [1, 1] and all(trial.watch.count("after ack", m) for m in acked)
            )
        )
        trial.end()
        left = {message[1].message_id for message in trial.take_all(QUEUE, expected=missing(trial))}
        for digit, number in enumerate(counts(trial, 2)):
            if number > 1:
                return Broken("e", twice(trial, f"m-{digit}"), known or "dedup-apart")
            if number == 0 and f"m-{digit}" not in left:
                why = known if known == "not-done" else why_lost(trial, f"m-{digit}")
                return Broken("e", lost(trial, f"m-{digit}"), why)
        # An ack can be lost with its connection; then the message is redelivered, and is known.
        if left := {message for message in left if not trial.watch.count("after ack", message)}:
            story = trial.trouble() or trial.history.story(min(left))
            why = "never-acked" if trial.watch.count("delivery") else "not-done"
            return Broken("e", f"{min(left)} stays in the queue: {story}", why)
        return None

    return crash_points(trial, play, actions=("kill", "cut"), least=6)


def missing(trial: Trial) -> list[str]:
    """Return the message ids of the payments that do not count yet."""
    return [f"m-{digit}" for digit, number in enumerate(counts(trial, 2)) if not number]


def raced(trial: Trial, known: str) -> Broken | None:
    """Give two workers the same payment, and hold both before they write."""
    prepare(trial)
    gates: dict[str, threading.Event] = {}

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if boundary.at == "before effect" and actor.key not in gates:
            gates[actor.key] = threading.Event()
            return gates[actor.key]
        return "go"

    workers = [
        trial.start("run_worker", trial.url, trial.store, name=f"worker {number}", restarts=2)
        for number in (1, 2)
    ]
    trial.watch.settle(lambda: all(worker.subscribed for worker in workers))
    trial.direct = direct
    try:
        for _ in workers:
            pay(trial, 0, message_id="m-1")
        trial.watch.settle(lambda: len(gates) == 2, quiet_s=0.7)
        trial.direct = go_on
        for gate in list(gates.values()):
            gate.set()
        times = settle(trial, 2, [1])
    finally:
        trial.direct = go_on
    if times == [1]:
        return None
    if times == [0]:
        return Broken("f", f"{trial.history.story('m-1')}: never charged", "not-done")
    return Broken("f", f"sent twice, {twice(trial, 'm-1')}", known or "check-then-insert")


def unacked(trial: Trial, requirement: str, message: str) -> Broken | None:
    """Return a finding if a message is not delivered because earlier ones are never acked."""
    if trial.watch.count("after ack") or trial.watch.count("delivery", message):
        return None
    first = trial.history.events("deliver")[:1]
    if not first:
        return Broken(requirement, trial.trouble() or "no message was delivered", "not-done")
    story = f"{trial.history.story(first[0].message)}, and then nothing: {message} waits behind it"
    return Broken(requirement, story, "never-acked")


def twice(trial: Trial, message: str) -> str:
    """Return the story of a payment that counts more than once."""
    return f"{trial.history.story(message)}: charged twice"


def lost(trial: Trial, message: str) -> str:
    """Return the story of a payment that is lost."""
    return f"{trial.history.story(message)}: never charged, and in no queue"


def why_lost(trial: Trial, message: str) -> str:
    """Return the belief behind a loss: it was acked too early, or remembered too early."""
    auto = trial.watch.auto_acks("subscribed")
    if auto:
        return "auto-ack"
    events = trial.history.events("deliver", "ack", "effect", message=message)
    if any(event.kind == "effect" for event in events):
        return "dedup-apart"
    again = any(event.redelivered for event in events)
    return "redelivered-means-done" if again else "ack-before-work"
