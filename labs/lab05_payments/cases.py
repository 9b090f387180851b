"""The payments of lab 5: publish them, read the store, tell what became of a message.

Each amount is a power of ten, so each digit of the balance is the number of times that one payment
was added: 1021 is one of 1, two of 10, none of 100, one of 1000.
"""

import json
from collections.abc import Sequence

import pika

from labs.judge.findings import Broken
from labs.judge.trial import Trial

QUEUE = "payments"
TABLES = (
    "balances (account TEXT PRIMARY KEY, cents INTEGER NOT NULL)",
    "accounts (account TEXT PRIMARY KEY, status TEXT NOT NULL, version INTEGER NOT NULL)",
)


def prepare(trial: Trial) -> None:
    """Start over with the queue and an empty store."""
    channel = trial.fresh(*TABLES)
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()


def publish(
    trial: Trial, event: dict[str, object], message_id: str, *, other: bool = False
) -> None:
    """Publish one event, persistent, and wait for its confirm.

    Args:
        trial: the trial.
        event: what the message says.
        message_id: its id.
        other: write it in other bytes: keys in another order, and more blanks.
    """
    body = json.dumps(dict(reversed(event.items())), indent=2) if other else json.dumps(event)
    properties = pika.BasicProperties(message_id=message_id, delivery_mode=2)
    trial.channel.basic_publish("", QUEUE, body, properties)


def pay(
    trial: Trial,
    digit: int,
    *,
    message_id: str,
    payment: str = "",
    account: str = "anna",
    other: bool = False,
) -> None:
    """Publish the payment of 10^digit cents."""
    event = {
        "type": "payment.captured",
        "payment": payment or f"payment-{digit}",
        "account": account,
        "cents": 10**digit,
    }
    publish(trial, event, message_id, other=other)


def set_status(trial: Trial, version: int, status: str, *, message_id: str) -> None:
    """Publish a status of anna's account."""
    event = {"type": "account.status", "account": "anna", "status": status, "version": version}
    publish(trial, event, message_id)


def cents(trial: Trial, account: str, *, store: str = "") -> int:
    """Return an account's balance; in the store of an earlier play, if one is named."""
    query = "SELECT cents FROM balances WHERE account = ?"
    rows = trial.rows(query, (account,), store=store)
    return int(rows[0][0]) if rows else 0


def counts(trial: Trial, digits: int, *, store: str = "") -> list[int]:
    """Return how often each payment was added, by its digit, modulo 10."""
    total = cents(trial, "anna", store=store)
    return [total // 10**digit % 10 for digit in range(digits)]


def status(trial: Trial) -> tuple[object, ...] | None:
    """Return the status and the version of anna's account, or None."""
    rows = trial.rows("SELECT status, version FROM accounts WHERE account = 'anna'")
    return rows[0] if rows else None


def settled(trial: Trial) -> int:
    """Return the number of messages that were acked; with auto_ack, of those delivered."""
    if trial.watch.auto_acks("subscribed") or trial.watch.auto_acks("delivery"):
        return trial.watch.count("delivery")
    boundaries = list(trial.watch.boundaries)
    return sum(len(b.messages) for b in boundaries if b.at == "after ack")


def settle(trial: Trial, number: int, expected: Sequence[int], *, store: str = "") -> list[int]:
    """Wait for ``number`` acks, and return the counts when all is quiet.

    An effect may follow its ack, so counts that are too low get a second chance.
    """
    trial.watch.settle(lambda: settled(trial) >= number)
    trial.watch.calm(0.15)
    digits, wanted = len(expected), list(expected)
    if any(n < m for n, m in zip(counts(trial, digits, store=store), wanted, strict=True)):
        trial.watch.settle(lambda: counts(trial, digits, store=store) == wanted)
    return counts(trial, digits, store=store)


def undone(trial: Trial, requirement: str, message: str) -> Broken:
    """Return a finding about a message whose effect is not in the store."""
    if trial.trouble():
        return trial.undone(requirement)
    if not trial.watch.count("delivery", message):
        first = next(iter(trial.history.events("deliver")), None)
        if first is None:
            return trial.undone(requirement, "no message was delivered")
        story = f"{trial.history.story(first.message)}, and then nothing: {message} waits behind it"
        return Broken(requirement, story, "never-acked")
    story = trial.history.story(message)
    effects = [b for b in list(trial.watch.boundaries) if b.at == "after effect"]
    mine = [b for b in effects if message in b.messages]
    if is_open(trial):
        story = f"{story}, but what was written for it is not committed"
        return Broken(requirement, story, "open-transaction")
    if any(b.details.get("rows") == 0 for b in mine):
        story = f"{story}: a statement has changed no row, and the store has nothing of it"
        return Broken(requirement, story, "update-adds-row")
    return Broken(requirement, f"{story}: the store has nothing of it", "not-done")


def is_open(trial: Trial) -> bool:
    """Return whether the last write was never committed."""
    for boundary in reversed(list(trial.watch.boundaries)):
        if boundary.at in ("after effect", "after commit"):
            return not boundary.details.get("committed")
    return False


def twice(trial: Trial, message: str) -> str:
    """Return the story of a payment that counts more than once."""
    return f"{trial.history.story(message)}: charged twice"
