"""Lab 8 names a belief by what a history shows, and asks who works on a document."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.history import History
from helpers.rabbitmq.generations import age
from labs.judge.actor import Actor, Boundary
from labs.lab08_ordering import order, plays, storage
from tests.labs.conftest import Try

OWNER = """
    import json, sqlite3
    import pika

    def declare(url):
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.exchange_declare("all", "fanout", durable=True)
        for number in range(4):
            arguments = {"x-queue-type": "quorum", "x-delivery-limit": -1}
            channel.queue_declare(f"all-{number}", durable=True, arguments=arguments)
            channel.queue_bind(f"all-{number}", "all")

    def publish(url, events):
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.confirm_delivery()
        for event in events:
            properties = pika.BasicProperties(message_id=event["id"], delivery_mode=2)
            channel.basic_publish("all", "", json.dumps(event), properties)

    def run_worker(url, store, number):
        db = sqlite3.connect(store)
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        for method, _, body in channel.consume(f"all-{number}"):
            event = json.loads(body)
            if number == 2:
                with db:
                    row = (event["document"], event["version"])
                    db.execute("INSERT INTO done (document, version) VALUES (?, ?)", row)
            channel.basic_ack(method.delivery_tag)
"""


def process(*steps: str, running: bool) -> Actor:
    """Return a worker that has reached these boundaries, such as "before ack 2"."""
    actor = Actor(
        "run_worker", [], name="worker", key="1", output=Path(), host=0, send=lambda command: None
    )
    for step in steps:
        at, _, version = step.rpartition(" ")
        boundary = Boundary("worker", at, f"{order.DOCUMENT}/{version}", {}, time.monotonic())
        actor.boundaries.append(boundary)
    if not running:
        actor.ended.set()
    return actor


def trial_of(*actors: Actor, happened: str) -> Any:
    """Return a trial with these processes, and a history such as "fail 1, ack 1"."""
    history = History()
    for step in happened.split(", "):
        kind, version = step.split()
        history.record(kind, f"{order.DOCUMENT}/{version}", actor="worker")
    return SimpleNamespace(actors=actors, history=history)


@pytest.mark.parametrize(
    ("steps", "running", "happened", "belief"),
    [
        (["before effect 1"], False, "ack 1", ""),
        (["before effect 1", "before ack 2"], True, "fail 1, ack 2", "error-is-passed-over"),
        (["before effect 1", "before ack 2"], False, "fail 1, ack 2", "error-is-passed-over"),
        (["before effect 1"], True, "fail 1, effect 2", "error-is-passed-over"),
        (["before effect 1", "after effect 2"], False, "fail 1", "error-is-passed-over"),
        (["before effect 1"], False, "fail 1, effect 2", "polite-is-safer"),
        (["before ack 1", "before effect 2"], False, "fail 2, effect 3", "polite-is-safer"),
        (["before effect 1"], False, "fail 1, nack 1", "requeue-keeps-place"),
    ],
)
def test_a_wrong_order_after_an_error(steps: list[str], running: bool, happened: str, belief: str):
    failing, next_one = process(*steps, running=running), process("before ack 3", running=True)
    trial = trial_of(failing, next_one, happened=happened)
    assert order.why_after_failure(trial) == belief


@pytest.mark.parametrize(
    ("happened", "newer"),
    [
        ("effect 2, ack 2, ack 1", "2"),
        ("ack 1, effect 2, ack 2", ""),
        ("ack 1, effect 3, effect 10, ack 1", "3"),
        ("effect 2, ack 2", ""),
    ],
)
def test_an_event_that_came_too_late_is_told_from_a_lost_one(happened: str, newer: str):
    found = order.left_out_for(trial_of(happened=happened), f"{order.DOCUMENT}/1")
    assert found == (newer and f"{order.DOCUMENT}/{newer}")


def test_who_works_on_a_document_is_told_by_an_effect(attempt: Try):
    trial = attempt(OWNER)
    plays.prepare(trial)
    plays.team(trial)
    assert plays.owner(trial, plays.event(order.DOCUMENT, 1)) == 2


def test_what_drops_an_event_at_its_return_breaks_d(attempt: Try, shared_broker):
    findings = list(storage.published(attempt(OWNER)))
    old = age(shared_broker.generation) < age("4.0")
    assert [finding.requirement for finding in findings] == ["d"] * 4 * old
    assert all("drops a message when it comes back" in finding.story for finding in findings)
