"""The event bus of lab 1: publish events, start services, read their rows in the store."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pika
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from helpers import broker
from labs.judge.actor import Actor
from labs.judge.connecting import confirmed_channel
from labs.judge.later import Loss, first_loss
from labs.judge.trial import Trial, go_on

TABLES = ("search (event TEXT, document TEXT)", "audit (event TEXT, type TEXT)")
NOTIFIED = ("document.shared", "comment.added")
START_S = 6.0  # for a process to start, or to get its first event, on a busy machine
QUIET_S = 3.0
NO_SUCH_QUEUE = 404


def prepare(trial: Trial) -> None:
    """Declare the bus as it is before the lab: the exchange, and `notify` with its queue."""
    channel = trial.fresh(*TABLES)
    channel.exchange_declare("events", "topic", durable=True)
    channel.queue_declare("notify", durable=True)
    for key in NOTIFIED:
        channel.queue_bind("notify", "events", key)
    channel.confirm_delivery()


def publish(trial: Trial, event: str, kind: str) -> bool:
    """Publish one event; return whether the broker put it into any queue."""
    body = json.dumps({"event": event, "type": kind, "about": about(event, kind)})
    properties = pika.BasicProperties(message_id=event, delivery_mode=2)
    trial.history.record("publish", event, detail=kind)
    try:
        trial.channel.basic_publish("events", kind, body, properties, mandatory=True)
    except UnroutableError:
        return False
    except ChannelClosedByBroker:  # the exchange is gone
        trial.channel = confirmed_channel()
        return False
    return True


def about(event: str, kind: str) -> str:
    """Return what an event is about."""
    return f"{kind.partition('.')[0]}-{event.partition('-')[2]}7"


@contextmanager
def subscribing(trial: Trial, *names: str) -> Iterator[None]:
    """Start services one after the other, and hold each when it has subscribed.

    All go on after the ``with`` block.
    """
    gate = threading.Event()
    trial.direct = lambda actor, boundary: gate if boundary.at == "subscribed" else "go"
    try:
        for name in names:
            role = f"run_{name.split()[0]}"
            actor = trial.start(role, trial.url, trial.store, name=name, restarts=5)
            ready = partial(begun, actor)
            trial.watch.settle(ready, quiet_s=START_S)
        yield
    finally:
        trial.direct = go_on
        gate.set()


def begun(actor: Actor) -> bool:
    """Return whether a service consumes, or has ended."""
    return actor.subscribed or not actor.running


def events_of(trial: Trial, service: str) -> Counter[str]:
    """Return the number of rows that a service has for each event."""
    return Counter(str(event) for (event,) in trial.rows(f"SELECT event FROM {service}"))


def wait(trial: Trial, condition: Callable[[], Any]) -> None:
    """Wait until a condition is true, no boundary is reached any more, or all services returned."""

    def over() -> Any:
        return condition() or all(actor.returned for actor in trial.actors)

    trial.watch.settle(lambda: trial.watch.count("delivery") or over(), quiet_s=START_S)
    trial.watch.settle(over, quiet_s=QUIET_S)
    if any(actor.running and not actor.subscribed for actor in trial.actors):
        trial.watch.settle(over, quiet_s=START_S)  # a killed service is restarting


def settle(trial: Trial, service: str, expected: list[str]) -> Counter[str]:
    """Wait until a service has one row for each event; return its rows when all is quiet."""
    wait(trial, lambda: events_of(trial, service) == Counter(expected))
    trial.watch.calm(0.3)  # more may follow
    return events_of(trial, service)


def queues_of(trial: Trial, service: str) -> set[str]:
    """Return the queues from which a service has consumed since the last `fresh`."""
    return {
        str(boundary.details["queue"])
        for boundary in list(trial.watch.boundaries)
        if boundary.at == "subscribed" and boundary.actor.split()[0] == service
    }


def undone(trial: Trial, service: str) -> tuple[str, str]:
    """Return why a service has no row at all, and the belief behind it."""
    if trouble := error_of(trial, service):
        return trouble, "raised"
    if not queues_of(trial, service):
        return f"run_{service}() never began to consume", "not-done"
    if (event := uncommitted(trial, service)) is not None:
        return f"{trial.history.story(event)}, and no row is committed", "ack-before-work"
    return f"run_{service}() consumes, and {service} has no row", "not-done"


def error_of(trial: Trial, service: str) -> str:
    """Return the last error with which a service ended, or ""."""
    for actor in reversed(trial.actors):
        if actor.role == f"run_{service}" and actor.error:
            return f"{actor.role}() ended with {actor.error}"
    return ""


def uncommitted(trial: Trial, service: str, *events: str) -> str | None:
    """Return an event that a service has acked and has no row for, or None.

    Args:
        trial: the trial.
        service: "search" or "audit".
        events: only these; none: any.
    """
    rows = events_of(trial, service)
    for boundary in list(trial.watch.boundaries):
        if boundary.at == "after ack" and boundary.actor.split()[0] == service:
            for event in boundary.messages:
                if (
                    event not in rows
                    and wrote(trial, service, event)
                    and event in (events or [event])
                ):
                    return event
    return None


def wrote(trial: Trial, service: str, event: str) -> bool:
    """Return whether a service has begun to write for an event."""
    return any(
        boundary.at == "before effect"
        and boundary.message == event
        and boundary.actor.split()[0] == service
        for boundary in list(trial.watch.boundaries)
    )


def wrong_row(trial: Trial, service: str, kinds: Mapping[str, str]) -> str:
    """Return what is wrong in a row of a service, or ""."""
    column = "document" if service == "search" else "type"
    for event, value in trial.rows(f"SELECT event, {column} FROM {service}"):
        right = about(event, kinds.get(event, "")) if service == "search" else kinds.get(event)
        if value != right:
            return f"{service} says {value!r} of {event}, and it is {right!r}"
    return ""


def loss_of(trial: Trial, service: str) -> Loss | None:
    """Return how a service's queue, or the exchange before it, loses events later, or None."""
    if loss := first_loss(queues_of(trial, service)):
        return loss
    for exchange in broker.api("GET", "exchanges/{vhost}"):
        if not exchange["durable"]:
            sentence = f"exchange {exchange['name']} is not durable: gone when the broker restarts"
            return Loss(sentence, "transient-exchange")
    return None


def notify_is_bound() -> bool:
    """Return whether the original bindings of notify still exist."""
    bindings = broker.api("GET", "bindings/{vhost}")
    keys = {
        binding["routing_key"]
        for binding in bindings
        if (binding["source"], binding["destination"]) == ("events", "notify")
    }
    return keys.issuperset(NOTIFIED)


def consumers(queue: str) -> int:
    """Return the number of consumers of a queue; 0 for a missing queue."""
    connection = broker.connect()
    try:
        return int(connection.channel().queue_declare(queue, passive=True).method.consumer_count)
    except ChannelClosedByBroker as error:
        # Another code: the queue is exclusive, and its owner is still connected.
        return int(error.reply_code != NO_SUCH_QUEUE)
    finally:
        with suppress(Exception):
            connection.close()
