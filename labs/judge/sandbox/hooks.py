"""Patch pika and sqlite3 so that a learner's code stops at each boundary.

Boundaries are a delivery, the arrival of a confirm, and the moments before and after an effect, a
commit, an ack and a publish. At each the code reports to the judge, which lets it go on, holds it
for a while, cuts its connection, or kills its process. Everything else is pika and sqlite3 as they
are, with a real broker and a real file.
"""

import functools
import inspect
import json
import os
import socket
import sqlite3
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel

from labs.judge.faults import FAIL, FULL_QUEUE, STORE

JUDGE_GONE = 71  # exit status
SHOWN_BYTES = 40
READ_BYTES = 200  # of a body, by which a check can follow a message whatever id its copies have
# A publish fails for real: it goes where the broker refuses it.
REFUSED = {
    "nack": {"exchange": "", "routing_key": FULL_QUEUE},
    "close": {"exchange": "judge.no-such-exchange"},
    "return": {"exchange": "", "routing_key": "judge.no-such-queue"},
}
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
COMMITS = ("COMMIT", "END")

_line = threading.local()  # one socket per thread: a thread held at a boundary blocks no other
_here = threading.local()  # the message that this thread works on
_last = {"delivered": "", "published": ""}
_actor = {"name": "", "address": ""}
_connections: "weakref.WeakSet[Any]" = weakref.WeakSet()
_open: "weakref.WeakKeyDictionary[Any, dict[int, str]]" = weakref.WeakKeyDictionary()
_limits: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()  # prefetch


def begin(name: str, address: str) -> None:
    """Set this process's name, and the address at which the judge listens."""
    _actor.update(name=name, address=address)


def ask(at: str, message: str = "", **details: Any) -> str:
    """Report a boundary to the judge, and return when the judge lets this thread go on.

    Args:
        at: kind of the boundary, such as "before ack".
        message: id of the message concerned.
        details: further facts that JSON can hold.

    Returns:
        How the operation after this boundary has to fail, such as "locked"; "" to go on.
    """
    try:
        file = _judge()
        file.write(json.dumps({"at": at, "message": message, **details}) + "\n")
        file.flush()
        answer = file.readline()
    except OSError:
        answer = ""
    if not answer:
        os._exit(JUDGE_GONE)
    if answer == "cut\n":
        cut()
    return answer.removeprefix(FAIL).strip() if answer.startswith(FAIL) else ""


def ask_store(at: str, message: str = "", **details: Any) -> None:
    """Report a boundary before a write, which may fail as SQLite fails.

    Raises:
        sqlite3.OperationalError: the judge lets the write fail.

    Source: https://www.sqlite.org/rescode.html, SQLITE_BUSY, SQLITE_FULL and SQLITE_IOERR.
    """
    if failure := ask(at, message, **details):
        raise sqlite3.OperationalError(STORE[failure])


def _judge() -> Any:
    """Return this thread's connection to the judge, opened anew after a fork."""
    if getattr(_line, "pid", None) != os.getpid():
        link = socket.socket(socket.AF_UNIX)
        link.connect(_actor["address"])
        _line.file, _line.pid = link.makefile("rw", encoding="utf-8"), os.getpid()
        _line.file.write(json.dumps({"actor": _actor["name"]}) + "\n")
    return _line.file


def cut() -> None:
    """Break all connections of this process to the broker, as a network failure does."""
    for connection in list(_connections):
        try:
            connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            continue  # closed already


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
    """Install the boundaries in pika and sqlite3; once per process."""
    _watch_connections()
    _watch_deliveries()
    for name in ("basic_ack", "basic_nack", "basic_reject"):
        _watch_settlement(name)
    _watch_publishes()
    connect = sqlite3.connect

    @functools.wraps(connect)
    def connect_store(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        kwargs.setdefault("factory", Store)
        kwargs.setdefault("timeout", 10.0)
        return connect(*args, **kwargs)

    setattr(sqlite3, "connect", connect_store)  # noqa: B010  (mypy knows only one connect)


def _watch_connections() -> None:
    @_instead_of(pika.BlockingConnection, "__init__")
    def opened(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _connections.add(self)


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
    _here.message = _last["delivered"] = message
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


def _current() -> str:
    return str(getattr(_here, "message", _last["delivered"]))


class Cursor(sqlite3.Cursor):
    """A cursor with boundaries around writes and commits."""

    def execute(self, sql: str, parameters: Any = ()) -> "Cursor":
        """Run a statement, with a boundary before and after a write or a commit."""
        word = sql.lstrip().split(None, 1)[0].upper().rstrip(";") if sql.strip() else ""
        what = "effect" if word in WRITES else "commit" if word in COMMITS else ""
        if what:
            ask_store(f"before {what}", _current())
        super().execute(sql, parameters)
        if what:
            written = not self.connection.in_transaction
            ask(f"after {what}", _current(), committed=written, rows=self.rowcount)
        return self

    def executemany(self, sql: str, parameters: Any) -> "Cursor":
        """Run a statement for each row, between two boundaries."""
        ask_store("before effect", _current())
        super().executemany(sql, parameters)
        ask("after effect", _current(), committed=not self.connection.in_transaction)
        return self


class Store(sqlite3.Connection):
    """A connection with boundaries around writes and commits."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a cursor with boundaries."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run a statement."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any) -> Any:
        """Run a statement for each row."""
        return self.cursor().executemany(sql, parameters)

    def commit(self) -> None:
        """Commit; between two boundaries, if a transaction is open."""
        if not self.in_transaction:
            return super().commit()
        ask_store("before commit", _current())
        super().commit()
        ask("after commit", _current(), committed=True)
        return None

    def __exit__(self, kind: Any, value: Any, trace: Any) -> Any:
        """End a ``with`` block: commit, or roll back after an error."""
        if kind is not None:
            self.rollback()
            return False
        try:
            self.commit()
        except sqlite3.Error:  # as sqlite3 does: what could not be committed is rolled back
            self.rollback()
            raise
        return False
