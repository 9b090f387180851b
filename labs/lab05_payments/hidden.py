"""Lab 5, hidden case: many payments, out of order, repeated, with deaths."""

import json
import random
from collections.abc import Iterator

import pika

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial, go_on
from labs.lab05_payments import cases as lab

ACCOUNTS, DIGITS = ("anna", "ben", "chloe"), 4
DEATHS = 6
SEED = 5


def check(trial: Trial) -> Iterator[Broken]:
    """Judge one long run with two workers, one of which dies several times."""
    lab.prepare(trial)
    chance = random.Random(SEED)
    payments = [(account, digit) for account in ACCOUNTS for digit in range(DIGITS)]
    sent = payments + chance.sample(payments, 6)
    chance.shuffle(sent)
    for account, digit in sent:
        event = {"type": "payment.captured", "payment": f"{account}-{digit}", "account": account}
        trial.channel.basic_publish(
            "", lab.QUEUE, json.dumps(event | {"cents": 10**digit}),
            pika.BasicProperties(message_id=f"{account}-{digit}", delivery_mode=2),
        )  # fmt: skip
    deaths = iter(chance.choices((True, False), (1, 4), k=1000))
    left = [DEATHS]

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if actor.name == "worker 1" and boundary.message and left[0] and next(deaths):
            left[0] -= 1
            return "kill"
        return "go"

    trial.direct = direct
    try:
        for name in ("worker 1", "worker 2"):
            trial.start("run_worker", trial.url, trial.store, name=name, restarts=DEATHS)
        expected = sorted((account, 10**DIGITS // 9) for account in ACCOUNTS)
        query = "SELECT account, cents FROM balances ORDER BY account"
        trial.watch.settle(lambda: trial.rows(query) == expected, timeout_s=15, quiet_s=2)
        trial.watch.calm(0.3)
    finally:
        trial.direct = go_on
    trial.end()
    if (balances := trial.rows(query)) != expected:
        left_over = (
            ", ".join(message[1].message_id for message in trial.take_all(lab.QUEUE)) or "none"
        )
        story = f"{len(sent)} messages about {len(payments)} payments, with a worker that dies:"
        story += f" balances {balances}, not {expected}; still in the queue: {left_over}"
        yield Broken("e", story, "dedup-apart")
