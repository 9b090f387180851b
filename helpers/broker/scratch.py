"""This process's scratch vhost: made once, removed at exit, swept when we were killed.

Where an administrator gave us vhosts, one of those is taken instead, and emptied; see `given`.
"""

import atexit
import json
import os
import platform
import re
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

from helpers.broker import assigned_vhosts, selection, vhosts
from helpers.errors import BrokerError, BrokerNotReadyError, UsageError
from helpers.machine import locks
from helpers.machine.paths import home
from helpers.rabbitmq import management, shared_node
from helpers.rabbitmq.generations import not_recorded
from helpers.rabbitmq.model import Broker, credentials
from helpers.waits import wait_until

LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
EXIT_TIMEOUT_S = (1.0, 5.0)
CLOSE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Scratch:
    """A vhost and its own user, both of one name, held by a lease file."""

    name: str
    password: str
    lease: Path
    handle: int
    owner_pid: int
    broker: Broker
    is_given: bool = False

    @property
    def asked(self) -> Broker:
        """The broker with the login with which its management API is asked about this vhost."""
        return assigned_vhosts.log_in(self.broker, self.name) if self.is_given else self.broker


_scratch: Scratch | None = None
_lock = threading.RLock()


def open_vhost(label: str) -> str:
    """Make this process's scratch vhost and print which versions are at work.

    Vhosts whose process has died are removed first; one that is in use is never touched. A
    second call prints the line again and returns the same vhost.

    Args:
        label: begins the name, for instance "q02"; lower-case letters, digits and hyphens.

    Returns:
        The name of the vhost.

    Raises:
        UsageError: the label holds something else.
        BrokerError: no broker, its user may not make a vhost, or those given are all in use.

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


def ensure(label: str = "lab") -> Scratch:
    """Return the scratch vhost; make it when there is none on the broker that is used now."""
    global _scratch  # noqa: PLW0603  (one vhost per process)
    with _lock:
        broker = selection.current()
        if _scratch is None or _scratch.owner_pid != os.getpid():
            sweep(broker)
            _scratch = _open(broker, label)
            atexit.register(close)
        elif _scratch.broker.amqp_url != broker.amqp_url:
            _scratch = replace(_scratch, broker=broker)
            _write_lease(_scratch)
            _make(_scratch)
        return _scratch


def renew() -> Scratch:
    """Look for the broker again after it stopped answering, and make the vhost there."""
    with _lock:
        selection.forget()
        selection.find()
        scratch = ensure()
        _make(scratch)
        return scratch


def vhost() -> str:
    """Return the name of the scratch vhost; make it when there is none yet."""
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
        return call(_asked(), method, path, body)
    except BrokerNotReadyError:
        renew()
        return call(_asked(), method, path, body)


def _asked() -> Broker:
    return _scratch.asked if _scratch and _scratch.is_given else selection.current()


def call(broker: Broker, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """Call the management API of ``broker``; see `api`."""
    login = credentials(broker.amqp_url)
    return management.call(broker.management_url, login, method, path, body, **options)


def recreate() -> None:
    """Delete the scratch vhost with everything in it, and make it again; a given one is emptied."""
    scratch = ensure()
    if scratch.is_given:
        return _empty(scratch, partial(call, scratch.asked))
    with suppress(management.ManagementApiError):
        call(scratch.broker, "DELETE", f"vhosts/{scratch.name}")
    _make(scratch)


def close_connections() -> None:
    """Make the broker close every connection into the scratch vhost, at once.

    The list of connections lags by seconds; a connection of a user is found at once, which is
    why the vhost has a user of its own.

    Source: RabbitMQ documentation, "Management HTTP API", connections/username.
    """

    def closed() -> bool:
        try:
            api("DELETE", f"connections/username/{vhost()}")
        except management.ManagementApiError as error:
            # One of them is just ending by itself: the broker trips over it and leaves the rest.
            if error.status != 500:
                raise
            return False
        return True

    wait_until(closed, timeout_s=CLOSE_TIMEOUT_S, what="the end of the vhost's connections")


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
        noted = locks.read(lease)
        try:
            if noted.get("is_given"):
                pass  # whoever takes it next empties it
            elif noted.get("management_url") == broker.management_page:
                vhosts.remove(partial(call, broker), lease.stem)
                swept.append(lease.stem)
            elif noted.get("source", shared_node.SOURCE) != shared_node.SOURCE:
                os.close(handle)
                continue
        except BrokerError:
            os.close(handle)  # whoever comes next tries again
            continue
        locks.drop(lease, handle)
    return swept


def leases() -> dict[str, bool]:
    """Return the vhosts that have a lease, and whether a living process holds it."""
    return {path.stem: locks.in_use(path) for path in sorted(_leases().glob("*.lock"))}


def _open(broker: Broker, label: str) -> Scratch:
    is_given = bool(assigned_vhosts.names())
    if is_given:
        name, lease, handle = assigned_vhosts.take(_leases())
        password = credentials(broker.amqp_url)[1]
    else:
        name, lease, handle = _new_lease(label)
        password = secrets.token_urlsafe(12)
    scratch = Scratch(name, password, lease, handle, os.getpid(), broker, is_given)
    try:
        _write_lease(scratch)  # before the vhost exists, so that none is ever without a lease
        if is_given:
            _empty(scratch, partial(call, scratch.asked))  # a killed process left something
        _make(scratch)
    except BaseException:
        locks.drop(lease, handle)
        raise
    return scratch


def _new_lease(label: str) -> tuple[str, Path, int]:
    while True:
        name = f"{label}-{secrets.token_hex(4)}"
        lease = _leases() / f"{name}.lock"
        if (handle := locks.take(lease)) is not None:
            return name, lease, handle


def _empty(scratch: Scratch, ask: vhosts.Call) -> None:
    with suppress(management.ManagementApiError):  # it trips over one that is just ending
        ask("DELETE", f"connections/username/{scratch.name}")
    assigned_vhosts.empty(ask, scratch.name)


def _make(scratch: Scratch) -> None:
    if scratch.is_given:
        return
    broker = scratch.broker
    try:
        vhosts.make(partial(call, broker), scratch.name, scratch.password, others=[broker.user])
    except management.ManagementApiError as error:
        if error.status in (401, 403):
            raise management.ManagementApiError(
                f"user {broker.user!r} of AMQP_URL may not make a scratch vhost: it needs the tag"
                f" administrator (`rabbitmqctl set_user_tags {broker.user} administrator`), or"
                f" vhosts that were made for it, named in {assigned_vhosts.VARIABLE}",
                error.status,
            ) from None
        raise


def close() -> None:
    """Remove the vhost, as when the process ends properly; the next use makes another."""
    global _scratch
    scratch, _scratch = _scratch, None
    if scratch is None or scratch.owner_pid != os.getpid():
        return
    try:
        ask = partial(call, scratch.asked, timeout_s=EXIT_TIMEOUT_S)
        _empty(scratch, ask) if scratch.is_given else vhosts.remove(ask, scratch.name)
    except BrokerError:
        os.close(scratch.handle)  # the next process sweeps it
        return
    locks.drop(scratch.lease, scratch.handle)


def _leases() -> Path:
    folder = home() / "leases"
    folder.mkdir(exist_ok=True)
    return folder


def _write_lease(scratch: Scratch) -> None:
    noted = {"management_url": scratch.broker.management_page, "source": scratch.broker.source}
    noted["is_given"] = "yes" if scratch.is_given else ""
    scratch.lease.write_text(json.dumps(noted))
