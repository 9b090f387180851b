"""Vhosts that an administrator made for us, where our own user may make none.

``RABBIT_LAB_VHOSTS`` names them, separated by commas. Whoever needs a scratch vhost takes the first
that no other process of ours holds, empties it, and gives it back at the end. Nothing but what
stands in that variable is ever taken, since all in it is deleted. Each has a user of its own name
with the tag policymaker and the password of AMQP_URL's user: without an administrator's rights,
the broker shows a user its own consumers, and lets it close its own connections, only.
"""

import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from helpers.broker.vhosts import GONE, Call
from helpers.errors import BrokerError, BrokerRefusedError, WaitTimeoutError
from helpers.machine import locks
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker
from helpers.waits import wait_until

VARIABLE = "RABBIT_LAB_VHOSTS"
EMPTY_TIMEOUT_S = 10.0
UNREACHABLE = (401, 403, GONE)


def names() -> list[str]:
    """Return the vhosts that ``RABBIT_LAB_VHOSTS`` names; none when we make our own."""
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]


def take(folder: Path) -> tuple[str, Path, int]:
    """Take the first of the given vhosts that is free.

    Args:
        folder: where the lease files are.

    Returns:
        Its name, its lease file, and the handle that holds the lease.

    Raises:
        BrokerError: other processes of ours hold all of them.
    """
    for name in names():
        lease = folder / f"{name}.lock"
        if (handle := locks.take(lease)) is not None:
            return name, lease, handle
    raise BrokerError(
        f"all {len(names())} vhosts that you were given are in use: shut down the kernel of another"
        " notebook, or wait for the end of a check, and run the cell again"
    )


def log_in(broker: Broker, name: str) -> Broker:
    """Return the broker with the login of the user who is called like a given vhost."""
    parts = urlsplit(broker.amqp_url)
    login, _, address = parts.netloc.rpartition("@")
    netloc = f"{quote(name, safe='')}:{login.partition(':')[2]}@{address}"
    url = urlunsplit(parts._replace(netloc=netloc))
    return replace(broker, amqp_url=url, management_url=broker.management_page)


def empty(call: Call, vhost: str, *, timeout_s: float = EMPTY_TIMEOUT_S) -> None:
    """Delete every queue, every exchange of ours and every policy of a vhost.

    Args:
        call: calls the management API: method and path.
        vhost: its name.
        timeout_s: how long to try, in seconds.

    Raises:
        BrokerRefusedError: there is no such vhost, or not for this user.
        BrokerError: something is still there at the deadline.

    Source: RabbitMQ documentation, "Management HTTP API".
    """
    here = quote(vhost, safe="")

    def emptied() -> bool:
        left = [path for path in _paths(call, here) if not _delete(call, path)]
        return not left

    try:
        wait_until(emptied, timeout_s=timeout_s, what="an empty vhost", every_s=0.1)
    except WaitTimeoutError:
        raise BrokerError(f"vhost {vhost!r} cannot be emptied: something in it is in use") from None
    except ManagementApiError as error:
        if error.status in UNREACHABLE:
            raise BrokerRefusedError(
                f"user {vhost!r} cannot use the vhost of that name, which {VARIABLE} names, with"
                " the password of AMQP_URL: ask whoever runs the broker"
            ) from None
        raise


def _paths(call: Call, here: str) -> list[str]:
    queues = call("GET", f"queues/{here}?disable_stats=true&enable_queue_totals=true")
    found = [f"queues/{here}/{quote(queue['name'], safe='')}" for queue in queues]
    found += [
        f"exchanges/{here}/{quote(exchange['name'], safe='')}"
        for exchange in call("GET", f"exchanges/{here}?disable_stats=true")
        if exchange["name"] and not exchange["name"].startswith("amq.")
    ]
    for kind in ("policies", "parameters/shovel"):
        items = call("GET", f"{kind}/{here}")
        found += [f"{kind}/{here}/{quote(item['name'], safe='')}" for item in items]
    return found


def _delete(call: Call, path: str) -> bool:
    try:
        call("DELETE", path)
    except ManagementApiError as error:
        return error.status == GONE
    return True
