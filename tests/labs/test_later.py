"""Losses that come only later are read from what is declared on a real broker."""

from collections.abc import Mapping
from typing import Any

import pytest
from pika import BasicProperties

from helpers import broker
from helpers.rabbitmq.generations import age
from labs.judge import later, misconceptions

TTL, EXPIRES = "x-message-ttl", "x-expires"


def of(arguments: Mapping[str, Any], **flags: bool) -> list[str]:
    """Declare a queue, and return the names of the beliefs behind its losses."""
    channel = broker.clean_channel()
    channel.queue_declare("kept", **{"durable": True, **flags}, arguments=dict(arguments))
    [queue] = later.queues(["kept"])
    found = list(later.losses(queue))
    assert all("kept" in loss.sentence for loss in found)
    assert all(loss.misconception in misconceptions.SHARED for loss in found)
    return [loss.misconception for loss in found]


@pytest.mark.parametrize(
    ("arguments", "beliefs"),
    [
        ({}, []),
        ({"x-queue-type": "quorum"}, []),
        ({TTL: 60_000}, ["old-may-go"]),
        ({TTL: 7 * 86_400_000}, []),
        ({TTL: 1000, "x-dead-letter-exchange": ""}, []),
        ({EXPIRES: 300_000}, ["queue-stays"]),
        ({"x-max-length": 5}, ["full-refuses"]),
        ({"x-max-length": 5, "x-overflow": "reject-publish"}, []),
        ({"x-max-length": 1_000_000}, []),
        ({"x-max-length-bytes": 1000}, ["full-refuses"]),
        ({TTL: 60_000, EXPIRES: 300_000}, ["queue-stays", "old-may-go"]),
    ],
)
def test_arguments_that_lose_messages_later(arguments, beliefs: list[str], shared_broker):
    assert of(arguments) == beliefs


def test_a_negative_delivery_limit_loses_what_comes_back_to_an_old_broker(shared_broker):
    old = age(shared_broker.generation) < age("4.0")
    assert of({"x-queue-type": "quorum", "x-delivery-limit": -1}) == []
    [queue] = later.queues(["kept"])
    assert bool(later.loss_at_return(queue)) == old


def test_an_auto_delete_queue_does_not_stay(shared_broker):
    assert of({}, auto_delete=True) == ["queue-stays"]


@pytest.mark.parametrize(
    ("properties", "belief"),
    [
        (BasicProperties(delivery_mode=2), None),
        (BasicProperties(delivery_mode=1), "transient-message"),
        (BasicProperties(), "transient-message"),
        (BasicProperties(delivery_mode=2, expiration="5000"), "old-may-go"),
        (BasicProperties(delivery_mode=2, expiration="864000000"), None),
    ],
)
def test_messages_that_are_lost_later(properties: BasicProperties, belief: str | None):
    loss = later.message_loss(properties)
    assert (loss and loss.misconception) == belief
