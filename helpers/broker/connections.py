"""Connect to the scratch vhost; give each experiment a clean channel."""

from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel

from helpers.broker import scratch
from helpers.errors import BrokerError, UsageError
from helpers.rabbitmq import ready

_handed_out: pika.BlockingConnection | None = None


class Listener(Protocol):
    """The address of a program that forwards connections to the broker, such as a proxy."""

    @property
    def host(self) -> str:
        """Address to connect to."""

    @property
    def port(self) -> int:
        """Port to connect to."""


def parameters(*, via: Listener | None = None, **overrides: Any) -> pika.ConnectionParameters:
    """Return pika's parameters for a connection to the scratch vhost.

    Args:
        via: a proxy on the way to the broker; None connects directly.
        overrides: any keyword of ``pika.ConnectionParameters``.

    Raises:
        UsageError: pika does not know a keyword or refuses its value.
    """
    here = scratch.ensure()
    given = pika.URLParameters(here.broker.amqp_url)
    chosen: dict[str, Any] = ready.DEFAULTS | {
        "host": via.host if via else given.host,
        "port": via.port if via else given.port,
        "ssl_options": given.ssl_options,
        "virtual_host": here.name,
        "credentials": pika.PlainCredentials(here.name, here.password),
    }
    try:
        return pika.ConnectionParameters(**(chosen | overrides))
    except (TypeError, ValueError) as error:
        raise UsageError(f"pika refuses a connection parameter: {error}") from None


def connect(*, via: Listener | None = None, **overrides: Any) -> pika.BlockingConnection:
    """Open a connection to the scratch vhost.

    If the broker does not answer any more, it is searched for, or started, again.

    Args:
        via: a proxy on the way to the broker; None connects directly.
        overrides: any keyword of ``pika.ConnectionParameters``. Defaults: heartbeat 30 s,
            blocked_connection_timeout 10 s, socket_timeout 5 s.

    Raises:
        BrokerError: no connection; the message is one sentence with the reason.
        UsageError: pika does not know a keyword or refuses its value.
    """
    wanted = parameters(via=via, **overrides)
    try:
        return ready.open_connection(wanted, scratch.ensure().broker)
    except BrokerError:
        if via is not None or {"host", "port", "credentials", "virtual_host"} & overrides.keys():
            raise
    scratch.renew()
    return ready.open_connection(parameters(**overrides), scratch.ensure().broker)


def amqp_url(*, via: Listener | None = None) -> str:
    """Return the URL of the scratch vhost with user and password, for a child process.

    Args:
        via: a proxy on the way to the broker; None connects directly.
    """
    here = scratch.ensure()
    parts = urlsplit(here.broker.amqp_url)
    address = f"{via.host}:{via.port}" if via else parts.netloc.rpartition("@")[2]
    name, password = quote(here.name, safe=""), quote(here.password, safe="")
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{address}", path=f"/{name}"))


def clean_channel(**overrides: Any) -> BlockingChannel:
    """Return a channel on a fresh connection to an empty scratch vhost.

    Every connection into the vhost is closed, also those of other processes: a leftover consumer
    must not take messages from the next experiment. Then all queues, exchanges, bindings and
    policies are deleted. Begin each experiment with it.

    Args:
        overrides: any keyword of ``pika.ConnectionParameters``, as in `connect`.

    Raises:
        BrokerError: the broker does not answer, and cannot be found or started again.
        UsageError: pika does not know a keyword or refuses its value.
    """
    global _handed_out  # noqa: PLW0603  (one clean channel at a time)
    previous, _handed_out = _handed_out, None
    if previous is not None:
        # Closing cleanly would block for 3 s if the client no longer reads, and after an interrupt
        # pika may raise anything.
        ready.hang_up(previous)
        with suppress(Exception):
            previous.close()
    scratch.close_connections()
    scratch.ensure().empty()
    _handed_out = connect(**overrides)
    return _handed_out.channel()
