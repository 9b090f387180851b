"""The scratch vhost of this process: made at its first use, removed at exit, swept after a kill.

If an administrator assigned vhosts to this user, one of them is taken: see `assigned_vhosts`.
"""

import atexit
import os
import platform
import re
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

from helpers.broker import assigned_vhosts, selection, vhosts
from helpers.broker.assigned_vhosts import AssignedVhost
from helpers.broker.own_vhosts import OwnVhost
from helpers.errors import (
    BrokerError,
    BrokerNotReadyError,
    BrokerRefusedError,
    UsageError,
    WaitTimeoutError,
)
from helpers.machine import locks
from helpers.machine.paths import home
from helpers.rabbitmq import management, shared_node
from helpers.rabbitmq.generations import age, not_recorded
from helpers.rabbitmq.model import Broker
from helpers.waits import wait_until

LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
CLOSE_TIMEOUT_S = 5.0

_scratch: OwnVhost | AssignedVhost | None = None
_lock = threading.RLock()


def open_vhost(label: str) -> str:
    """Make this process's scratch vhost and print which versions are at work.

    The vhosts of processes that have died are removed first; one that is in use is never touched. A
    second call prints the line again and returns the same vhost.

    Args:
        label: begins the name, for instance "q02"; lower-case letters, digits and hyphens.

    Returns:
        The name of the vhost.

    Raises:
        UsageError: the label contains another character.
        BrokerError: no broker, its user may not make a vhost, or all assigned ones are in use.

    Source: RabbitMQ documentation, "Virtual Hosts".
    """
    if not LABEL.fullmatch(label):
        raise UsageError(
            f"the label of a vhost is made of lower-case letters, digits and hyphens, not {label!r}"
        )
    scratch = ensure(label)
    broker = scratch.broker
    print(
        f"RabbitMQ {broker.version} on Erlang {broker.erlang}, pika {pika.__version__},"
        f" Python {platform.python_version()}; scratch vhost {scratch.name}"
    )
    if note := not_recorded(broker.generation):
        print(f"RabbitMQ {note}")
    return scratch.name


def ensure(label: str = "lab") -> OwnVhost | AssignedVhost:
    """Return the scratch vhost; make it if there is none on the current broker."""
    global _scratch  # noqa: PLW0603  (one vhost per process)
    with _lock:
        broker = selection.current()
        if _scratch is None or _scratch.owner_pid != os.getpid():
            sweep(broker)
            _scratch = _open(broker, label)
            atexit.register(close)
        elif _scratch.broker.amqp_url != broker.amqp_url:
            _scratch = replace(_scratch, broker=broker)
            _scratch.write_lease()
            _scratch.make()
        return _scratch


def renew() -> None:
    """Look for the broker again after it stopped answering, and make the vhost there."""
    with _lock:
        selection.forget()
        selection.find()
        ensure().make()


def vhost() -> str:
    """Return the name of the scratch vhost; make it if there is none yet."""
    return ensure().name


def api(method: str, path: str, body: Any = None) -> Any:
    """Call the management API of the broker as its administrator.

    Args:
        method: HTTP method: "GET", "PUT", "POST", "DELETE".
        path: what follows ``/api/``; ``{vhost}`` becomes the name of the scratch vhost, and other
            names have to be quoted.
        body: sent as JSON; None sends no body.

    Returns:
        The parsed JSON, or None for an empty answer.

    Raises:
        ManagementApiError: it answered with an HTTP error; ``status`` holds the code.
        BrokerNotReadyError: it does not answer.

    Source: RabbitMQ documentation, "Management HTTP API".
    """
    if "{vhost}" in path:
        path = path.replace("{vhost}", quote(vhost(), safe=""))
    try:
        return vhosts.call(_api_login(), method, path, body)
    except BrokerNotReadyError:
        renew()
        return vhosts.call(_api_login(), method, path, body)


def _api_login() -> Broker:
    return _scratch.api_login if _scratch else selection.current()


def close_connections() -> None:
    """Make the broker close every connection into the scratch vhost, at once.

    The vhost has its own user because the broker's list of connections lags by seconds, while the
    connections of a user are up to date.

    Raises:
        BrokerRefusedError: an administrator assigned the vhost, on RabbitMQ 3.
        WaitTimeoutError: they are not closed after 5 s.

    Source: RabbitMQ documentation, "Management HTTP API", connections/username.
    """

    def are_closed() -> bool:
        try:
            api("DELETE", f"connections/username/{vhost()}")
        except management.ManagementApiError as error:
            # A connection that closes during the request makes the broker answer 500 and skip the
            # others: retry.
            if error.status != 500:
                raise
            return False
        return True

    try:
        wait_until(are_closed, timeout_s=CLOSE_TIMEOUT_S, what="the end of the vhost's connections")
    except WaitTimeoutError:
        old = age(selection.current().generation) < age("4.0")
        if old and isinstance(ensure(), AssignedVhost):
            raise BrokerRefusedError(
                "RabbitMQ 3 lets none but administrators close connections, so"
                f" {assigned_vhosts.VARIABLE} needs RabbitMQ 4"
            ) from None
        raise


def sweep(broker: Broker) -> list[str]:
    """Remove the vhosts of processes that have died.

    Args:
        broker: vhosts on another broker than this one are left for later.

    Returns:
        The names of the vhosts that were removed.
    """
    swept: list[str] = []
    for lease in sorted(_leases().glob("*.lock")):
        handle = locks.take(lease)
        if handle is None:
            continue
        content = locks.read(lease)
        try:
            if content.get("is_given"):
                pass  # the next process that takes it empties it
            elif content.get("management_url") == broker.management_page:
                vhosts.remove(partial(vhosts.call, broker), lease.stem)
                swept.append(lease.stem)
            elif content.get("source", shared_node.SOURCE) != shared_node.SOURCE:
                os.close(handle)
                continue
        except BrokerError:
            os.close(handle)  # the next process tries again
            continue
        locks.drop(lease, handle)
    return swept


def leases() -> dict[str, bool]:
    """Return the vhosts that have a lease, and whether a living process holds it."""
    return {path.stem: locks.in_use(path) for path in sorted(_leases().glob("*.lock"))}


def _open(broker: Broker, label: str) -> OwnVhost | AssignedVhost:
    kind = AssignedVhost if assigned_vhosts.names() else OwnVhost
    scratch = kind.take(broker, label, _leases())
    try:
        scratch.write_lease()  # first, so that no vhost exists without a lease
        scratch.recreate()  # an assigned one may hold what a killed process left
    except BaseException:
        locks.drop(scratch.lease, scratch.handle)
        raise
    return scratch


def close() -> None:
    """Remove the vhost, as at the end of the process; the next use makes another."""
    global _scratch
    scratch, _scratch = _scratch, None
    if scratch is None or scratch.owner_pid != os.getpid():
        return
    try:
        scratch.remove()
    except BrokerError:
        os.close(scratch.handle)  # the next process sweeps it
        return
    locks.drop(scratch.lease, scratch.handle)


def _leases() -> Path:
    folder = home() / "leases"
    folder.mkdir(exist_ok=True)
    return folder
