"""Emptying a vhost: every kind of object, with and without an administrator's rights."""

from dataclasses import replace
from functools import partial

import pytest

from helpers import broker
from helpers.broker import assigned_vhosts, scratch, vhosts
from helpers.broker.own_vhosts import OwnVhost
from helpers.errors import BrokerError, BrokerRefusedError
from helpers.rabbitmq import ready
from helpers.rabbitmq.generations import age

KINDS = ("bindings", "policies", "operator-policies", "parameters/shovel")
POLICY = {"pattern": ".*", "definition": {"max-length": 3}, "apply-to": "queues"}


def fill(channel):
    """Put each kind of object into the scratch vhost."""
    channel.queue_declare("a/b", durable=True)
    channel.exchange_declare("events/x", "topic", durable=True)
    channel.exchange_declare("inner", "fanout", internal=True)
    channel.exchange_bind("inner", "events/x", "a.#")
    channel.queue_bind("a/b", "amq.direct", "c")
    for routing_key in ("", "b", "a/b c~%é", "*.#"):
        channel.exchange_bind("amq.fanout", "amq.topic", routing_key)
    channel.exchange_bind("amq.match", "amq.headers", "", {"x-match": "all", "kind": "b"})
    broker.api("PUT", "policies/{vhost}/a%20policy", POLICY)


def left():
    there = {kind: broker.api("GET", f"{kind}/{{vhost}}") for kind in KINDS}
    there["queues"] = broker.api("GET", "queues/{vhost}?disable_stats=true")
    exchanges = broker.api("GET", "exchanges/{vhost}?disable_stats=true")
    names = [exchange["name"] for exchange in exchanges]
    there["exchanges"] = [name for name in names if name and not name.startswith("amq.")]
    return {kind: items for kind, items in there.items() if items}


def test_each_object_is_deleted(channel, monkeypatch):
    fill(channel)
    broker.api("PUT", "operator-policies/{vhost}/an%2Fother", POLICY)
    assert left().keys() == {*KINDS, "queues", "exchanges"} - {"parameters/shovel"}
    monkeypatch.setattr(OwnVhost, "recreate", None)
    broker.clean_channel()
    assert left() == {}


def test_queue_in_use_is_an_error_at_the_deadline(channel):
    channel.queue_declare("mine", exclusive=True)
    with pytest.raises(BrokerError, match="something in it is in use"):
        vhosts.empty(broker.api, broker.vhost(), timeout_s=0.2)


@pytest.fixture
def assigned(shared_broker, monkeypatch, tmp_path):
    """Give this process a vhost that an administrator made."""
    name = "test-assigned.1"
    administrator = partial(vhosts.call, shared_broker)
    vhosts.make(administrator, name, "secret", tags="policymaker")
    given = replace(
        shared_broker,
        amqp_url=f"amqp://test-assigned:secret@{shared_broker.host}:{shared_broker.port}/%2F",
    )
    monkeypatch.setenv(assigned_vhosts.VARIABLE, name)
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(scratch, "_scratch", None)
    monkeypatch.setattr(scratch.selection, "_current", given)
    yield
    vhosts.remove(administrator, name)


def test_assigned_vhost_is_emptied_with_the_rights_of_its_user(assigned):
    with broker.connect() as connection:
        fill(connection.channel())
    assert left()
    scratch.ensure().recreate()  # which closes connections of its user as well
    assert left() == {}
    scratch.close()
    assert scratch.leases() == {}


def test_assigned_vhost_needs_a_broker_that_lets_its_user_close_connections(
    assigned, shared_broker, monkeypatch
):
    monkeypatch.setattr(scratch, "CLOSE_TIMEOUT_S", 1.0)
    other = broker.connect()
    try:
        if age(shared_broker.generation) < age("4.0"):
            with pytest.raises(BrokerRefusedError, match="RABBIT_LAB_VHOSTS needs RabbitMQ 4"):
                broker.clean_channel()
        else:
            assert broker.clean_channel().is_open
    finally:
        ready.hang_up(other)  # the broker may have closed it already


def test_assigned_vhost_that_does_not_exist(assigned, monkeypatch):
    monkeypatch.setenv(assigned_vhosts.VARIABLE, "test-assigned.2")
    with pytest.raises(BrokerRefusedError, match=r"user 'test-assigned\.2' cannot use the vhost"):
        broker.vhost()
    assert scratch.leases() == {}
