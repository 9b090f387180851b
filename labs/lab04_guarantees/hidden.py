"""Lab 4, hidden case: many payments, while both processes die several times."""

import random
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial, go_on
from labs.lab04_guarantees import plays
from labs.lab04_guarantees.consuming import why_lost
from labs.lab04_guarantees.plays import QUEUE, name

PAYMENTS, DEATHS, SEED = 12, 4, 4


def check(trial: Trial) -> Iterator[Broken]:
    """Judge one long run: first the publisher with its deaths, then the consumer."""
    plays.prepare(trial, range(PAYMENTS))
    chance = random.Random(SEED)
    left = {"run_publisher": DEATHS, "run_consumer": DEATHS}

    def direct(actor: Actor, boundary: Boundary) -> Order:
        if left.get(actor.role) and boundary.at != "subscribed" and chance.random() < 0.1:
            left[actor.role] -= 1
            return "kill"
        return "go"

    trial.direct = direct
    try:
        plays.send(trial, restarts=DEATHS)
        arguments = (trial.url, trial.store)
        trial.start("run_consumer", *arguments, name="consumer", restarts=DEATHS)
        trial.watch.settle(lambda: len(plays.receipts(trial)) == PAYMENTS, quiet_s=plays.QUIET_S)
    finally:
        trial.direct = go_on
    trial.end()
    missing = [m for m in map(name, range(PAYMENTS)) if not plays.receipts(trial)[m]]
    there = {message[1].message_id for message in trial.take_all(QUEUE, expected=missing)}
    for message in missing:
        if message not in there:
            story = f"{trial.history.story(message)}: no receipt, and in no queue"
            if trial.history.events("confirm", message=message):
                yield Broken("e", story, why_lost(trial, message))
            else:
                yield Broken("d", story, "marked-too-early")
