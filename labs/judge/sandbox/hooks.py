"""Patch pika so that a learner's code stops at each boundary.

Boundaries are a delivery, the arrival of a confirm, the moments before and after an ack and a
publish, and the moment after a removal; those of the store are in ``store``. At each the code
reports to the judge, which lets it go on, holds it for a while, cuts its connection, or kills its
process. Everything else is pika as it is, with a real broker.
"""

import functools
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from labs.judge.faults import FULL_QUEUE
from labs.judge.sandbox.current import work_on
from labs.judge.sandbox.line import ask, connections, obey_cuts

SHOWN_BYTES = 40
READ_BYTES = 200  # of a body, by which a check can follow a message whatever id its copies have
# A publish fails for real: it goes where the broker refuses it.
REFUSED = {
    "nack": {"exchange": "", "routing_key": FULL_QUEUE},
    "close": {"exchange": "judge.no-such-exchange"},
    "return": {"exchange": "", "routing_key": "judge.no-such-queue"},
}

REMOVALS = ("exchange_delete", "exchange_unbind", "queue_delete", "queue_purge", "queue_unbind")

_last = {"published": ""}
_open: "weakref.WeakKeyDictionary[Any, dict[int, str]]" = weakref.WeakKeyDictionary()
_limits: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()  # prefetch


def _instead_of(owner: Any, name: str) -> Callable[[Callable[..., Any]], None]:
    """Replace a method by a function, which gets the original method as first argument."""

    def replace(function: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, method)

    return replace


def install() -> None:
    """Install the boundaries in pika; once per process."""
    _watch_connections()
    _watch_deliveries()
    for name in ("basic_ack", "basic_nack", "basic_reject"):
        _watch_settlement(name)
    _watch_publishes()
    for name in REMOVALS:
        _watch_removal(name)
    obey_cuts()


def _watch_connections() -> None:
    @_instead_of(pika.BlockingConnection, "__init__")
    def opened(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        connections.add(self)


def _watch_deliveries() -> None:
    @_instead_of(BlockingChannel, "basic_qos")
    def basic_qos(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _limits[self] = int(args[1] if len(args) > 1 else kwargs.get("prefetch_count", 0))

    @_instead_of(BlockingChannel, "basic_consume")
    def basic_consume(
        original: Any, self: Any, queue: str, on_message_callback: Any, *args: Any, **kwargs: Any
    ) -> Any:
        auto_ack = bool(args[0] if args else kwargs.get("auto_ack", False))

        def deliver(channel: Any, method: Any, properties: Any, body: bytes) -> Any:
            _delivered(channel, method, properties, body, queue=queue, auto_ack=auto_ack)
            return on_message_callback(channel, method, properties, body)

        tag = original(self, queue, deliver, *args, **kwargs)
        ask("subscribed", queue=queue, auto_ack=auto_ack, **_limit(self))
        return tag

    @_instead_of(BlockingChannel, "basic_get")
    def basic_get(original: Any, self: Any, queue: str, auto_ack: bool = False) -> Any:
        method, properties, body = original(self, queue, auto_ack)
        if method is not None:
            _delivered(self, method, properties, body, queue=queue, auto_ack=auto_ack)
        return method, properties, body

    @_instead_of(BlockingChannel, "consume")
    def consume(original: Any, self: Any, queue: str, *args: Any, **kwargs: Any) -> Any:
        auto_ack = bool(args[0] if args else kwargs.get("auto_ack", False))
        ask("subscribed", queue=queue, auto_ack=auto_ack, **_limit(self))
        for method, properties, body in original(self, queue, *args, **kwargs):
            if method is not None:
                _delivered(self, method, properties, body, queue=queue, auto_ack=auto_ack)
            yield method, properties, body


def _delivered(
    channel: Any, method: Any, properties: Any, body: bytes, *, queue: str, auto_ack: bool
) -> None:
    message = _name(properties, body)
    work_on(message)
    if not auto_ack:
        _open.setdefault(channel, {})[method.delivery_tag] = message
    details = {"auto_ack": auto_ack, "redelivered": method.redelivered, **_limit(channel)}
    ask("delivery", message, queue=queue, body=_shown(body, READ_BYTES), **details)


def _limit(channel: Any) -> dict[str, Any]:
    """Return the prefetch set last on this channel, and those of all channels."""
    return {"limit": _limits.get(channel), "limits": list(_limits.values())}


def _name(properties: Any, body: bytes | str) -> str:
    """Return a message's id or, without an id, the first bytes of its body."""
    if properties is not None and properties.message_id:
        return str(properties.message_id)
    return _shown(body, SHOWN_BYTES)


def _shown(body: bytes | str, most: int) -> str:
    raw = body if isinstance(body, bytes) else str(body).encode()
    return raw[:most].decode(errors="replace")


def _watch_settlement(name: str) -> None:
    verb = name.removeprefix("basic_")

    @_instead_of(BlockingChannel, name)
    def settle(original: Any, self: Any, delivery_tag: int = 0, *args: Any, **kwargs: Any) -> Any:
        known = _open.get(self, {})
        bound = inspect.signature(original).bind(self, delivery_tag, *args, **kwargs)
        bound.apply_defaults()
        requeue = bool(bound.arguments.get("requeue", False))
        tags = [delivery_tag]
        if bound.arguments.get("multiple"):  # tag 0 stands for all outstanding deliveries
            tags = [tag for tag in known if tag <= delivery_tag or not delivery_tag]
        messages = [known.get(tag, "") for tag in tags]
        details = {"messages": messages, "requeue": requeue}
        message = messages[-1] if messages else ""
        ask(f"before {verb}", message, **details)
        result = original(self, delivery_tag, *args, **kwargs)
        for tag in tags:
            known.pop(tag, None)
        ask(f"after {verb}", message, **details)
        return result


def _watch_publishes() -> None:
    @_instead_of(BlockingChannel, "basic_publish")
    def publish(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(original).bind(self, *args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        properties, body = given["properties"], given["body"]
        message = _name(properties, body)
        _last["published"] = message
        details = {
            "exchange": given["exchange"],
            "routing_key": given["routing_key"],
            "mandatory": given["mandatory"],
            "persistent": getattr(properties, "delivery_mode", None) == 2,
            "expiration": getattr(properties, "expiration", None),
            "body": _shown(body, READ_BYTES),
        }
        if failure := ask("before publish", message, **details):
            given.update(REFUSED[failure])
        result = original(*bound.args, **bound.kwargs)
        ask("after publish", message, **details)
        return result

    @_instead_of(pika.channel.Channel, "confirm_delivery")
    def confirm(original: Any, self: Any, ack_nack_callback: Any, callback: Any = None) -> Any:
        def answered(frame: Any) -> Any:
            kind = "confirm" if isinstance(frame.method, pika.spec.Basic.Ack) else "nacked publish"
            ask(f"before {kind}", _last["published"])
            return ack_nack_callback(frame)

        return original(self, answered, callback)


def _watch_removal(name: str) -> None:
    @_instead_of(BlockingChannel, name)
    def remove(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        ask("after removal", by=name)
        return result
