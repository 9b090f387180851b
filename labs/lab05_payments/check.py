"""Lab 5: payments that count exactly once, through repeats, reordering and deaths."""

from collections.abc import Iterator

from labs.judge.findings import Broken, Finding, NotSeen
from labs.judge.model import Lab
from labs.judge.trial import Trial
from labs.lab05_payments.cases import (
    cents,
    pay,
    prepare,
    set_status,
    settle,
    settled,
    status,
    undone,
)
from labs.lab05_payments.races import raced
from labs.lab05_payments.recovery import recovers
from labs.lab05_payments.repeats import Repeats


def check(trial: Trial) -> Iterator[Finding]:
    """Judge a submission; simple plays come first, since they explain the results of later ones."""
    repeats = Repeats(trial)
    yield from repeats.play()
    if not repeats.works:
        return
    if broken := alike(trial):
        yield broken
    late = reordered(trial)
    if late:
        yield late
    why = "a payment that is delivered again counts twice already, or not at all"
    if not repeats.by_broker:
        yield NotSeen("e", why)
    elif broken := recovers(trial, pace_s=repeats.pace_s, statuses=not late):
        yield broken
    if not (repeats.by_broker and repeats.unchanged):
        yield NotSeen("f", "a payment that is sent again counts twice already with one worker")
    elif broken := raced(trial, statuses=not late):
        yield broken
    if repeats.by_broker and repeats.by_publisher:
        yield from repeats.late()


LAB = Lab(
    number=5,
    title="Payments that count once",
    question="q05_idempotency",
    requirements={
        "a": "a payment that is delivered again counts once",
        "b": "a payment that its publisher sends again counts once, however late and as a new "
        "message",
        "c": "two payments of the same amount count twice: they are two",
        "d": "an account has its newest status, also when an older one arrives late",
        "e": "payments and statuses count once when the worker is killed or cut off, or its store "
        "fails, at any point",
        "f": "payments and statuses count once when two workers are at work at the same moment",
    },
    roles=("run_worker(url, store)",),
    check=check,
    beliefs={
        "only-redelivered-repeats": "a message without the flag `redelivered` is a new one",
        "same-bytes": "what is sent again is sent in the same bytes",
        "memory-ends": "what was done a while ago, or many messages ago, does not come again",
        "open-transaction": "a statement that was executed is kept, also without a commit",
        "update-adds-row": "an UPDATE adds the row that it does not find",
        "error-rolls-back": "a write that fails undoes those before it in its transaction",
        "drop-is-kept": "a message that the broker gives up on is kept somewhere",
        "quiet-end": "a program that returns when its connection is lost is started again",
    },
)


def alike(trial: Trial) -> Broken | None:
    """Send two payments of the same amount to one account, and one to another account."""
    prepare(trial)
    trial.start("run_worker", trial.url, trial.store, restarts=2)
    pay(trial, 0, message_id="m-1", payment="payment-1")
    pay(trial, 0, message_id="m-2", payment="payment-2")
    pay(trial, 0, message_id="m-3", payment="payment-3", account="ben")
    times, other = settle(trial, 3, [2])[0], cents(trial, "ben")
    if (times, other) == (2, 1):
        return None
    if trial.trouble() or settled(trial) < 3:
        return undone(trial, "c", "m-3")
    story = "payment-1 and payment-2 of 1 cent each were sent for anna, payment-3 of 1 cent for ben"
    why = "same-content-same-message" if times + other == 1 or times == 1 else "not-done"
    return Broken("c", f"{story}: the balances are {times} and {other} cents", why)


def reordered(trial: Trial) -> Broken | None:
    """Send a newer status, then an older one."""
    prepare(trial)
    trial.start("run_worker", trial.url, trial.store, restarts=2)
    for version, name in ((9, "open"), (11, "closed"), (10, "active")):
        set_status(trial, version, name, message_id=f"m-{version}")
    trial.watch.settle(lambda: settled(trial) >= 3)
    trial.watch.calm(0.15)
    found = status(trial)
    if found == ("closed", 11):
        return None
    if found is None or settled(trial) < 3:
        return undone(trial, "d", "m-11")
    story = f"version 11 'closed' was delivered, then version 10 'active'; the store says {found}"
    return Broken("d", story, "set-is-safe" if found == ("active", 10) else "not-done")
