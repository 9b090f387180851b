"""Lab 8, hidden case: several documents, four workers, and several deaths."""

import random
from collections.abc import Iterator

from labs.judge.actor import Actor, Boundary
from labs.judge.faults import Order
from labs.judge.findings import Broken
from labs.judge.trial import Trial, go_on
from labs.lab08_ordering import plays
from labs.lab08_ordering.plays import event

DOCUMENTS = [f"document-{number}" for number in range(6)]
VERSIONS = range(1, 7)
DEATHS, SEED = 6, 8


def check(trial: Trial) -> Iterator[Broken]:
    """Judge one long run in which workers are killed at random boundaries."""
    plays.prepare(trial)
    plays.team(trial, restarts=DEATHS)
    chance = random.Random(SEED)
    left = [DEATHS]

    def direct(actor: Actor, boundary: Boundary) -> Order:
        may_die = actor.role == "run_worker" and boundary.at != "subscribed" and left[0]
        if may_die and chance.random() < 0.05:
            left[0] -= 1
            return "kill"
        return "go"

    trial.direct = direct
    try:
        plays.publish(trial, plays.events(DOCUMENTS, VERSIONS))
        count = "SELECT COUNT(*) FROM (SELECT DISTINCT document, version FROM done)"
        everything = [(len(DOCUMENTS) * len(VERSIONS),)]
        trial.watch.settle(lambda: trial.rows(count) == everything, timeout_s=plays.LONG_S)
    finally:
        trial.direct = go_on
    trial.end()
    for document in DOCUMENTS:
        done = plays.order(trial, document)
        missing = [event(document, version)["id"] for version in VERSIONS if version not in done]
        if plays.backward(done):
            order_text = f"{document} was worked on in this order: {' '.join(map(str, done))}"
            yield Broken("d", order_text, "dead-is-gone")
        elif missing and missing[0] not in plays.waiting(trial, missing):
            story = trial.history.story(missing[0])
            yield Broken("d", f"{story}; it is in no queue", "ack-before-work")
