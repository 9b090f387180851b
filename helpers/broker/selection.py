"""Choose the broker: the first of four ways that leads to one."""

import threading
from collections.abc import Callable

from helpers.broker import compose, install
from helpers.broker.decisions import decide, forget_decisions
from helpers.errors import BrokerNotFoundError, BrokerNotReadyError, WaitTimeoutError
from helpers.machine import docker, ports
from helpers.rabbitmq import ready, server, shared_node
from helpers.rabbitmq.model import (
    AMQP_URL,
    Broker,
    given_amqp_url,
    given_management_url,
    management_guesses,
)
from helpers.waits import wait_until

# Enough for a broker that is starting; short, since the port may be mistyped.
GIVEN_BROKER_TIMEOUT_S = 5.0

_lock = threading.RLock()
_current: Broker | None = None


class NotRunningError(BrokerNotFoundError):
    """No broker runs, and starting one was not allowed."""


def find(*, start: bool = True, timeout_s: float = 90.0) -> Broker:
    """Return the broker that this checkout uses; start one when there is none.

    The ways, in this order: ``AMQP_URL`` (with ``MANAGEMENT_URL`` where it cannot be guessed),
    which is used and never started or stopped; Docker Compose; a private node of a RabbitMQ that
    is installed here; ``apt-get install`` as root on Debian or Ubuntu. A broker that an earlier
    process of this checkout started comes first. The result is kept until it stops answering.

    Args:
        start: whether a broker may be started or installed.
        timeout_s: how long one start may take, in seconds.

    Raises:
        NotRunningError: none runs, and ``start`` is false.
        BrokerNotFoundError: none of the ways leads to a broker; the message names them.
        BrokerNotReadyError: a broker exists, but does not become ready.
        BrokerRefusedError: it refuses the credentials, or the user is not an administrator.
        UsageError: ``AMQP_URL`` or ``MANAGEMENT_URL`` is not a URL of the right form.
    """
    global _current  # noqa: PLW0603  (one broker per process)
    with _lock:
        if _current is None or not ports.port_answers(_current.host, _current.port):
            _current = None
            _current = _search(start=start, timeout_s=timeout_s)
        return _current


def current() -> Broker:
    """Return the broker of the last `find` without a check that it still answers, or find one."""
    return _current or find()


def forget() -> None:
    """Make the next `find` search again."""
    global _current  # noqa: PLW0603
    with _lock:
        _current = None


def _search(*, start: bool, timeout_s: float) -> Broker:
    forget_decisions()
    if url := given_amqp_url():
        return _given(url)
    decide(AMQP_URL, chosen=False, reason="not set")
    for running in (compose.running, shared_node.running):
        if broker := running():
            decide(broker.source, chosen=True, reason="it is already running")
            return broker
    if not start:
        raise NotRunningError("no broker is running: start one with `make up`")
    ways: list[tuple[str, Callable[[], str | None], Callable[[], Broker]]] = [
        (docker.SOURCE, docker.why_not, lambda: compose.start(timeout_s=timeout_s)),
        (shared_node.SOURCE, server.why_no_server, lambda: shared_node.start(timeout_s=timeout_s)),
        (install.SOURCE, install.why_not, lambda: _install(timeout_s)),
    ]
    for source, why_not, begin in ways:
        reason = why_not()
        if reason is None:
            try:
                broker = begin()
            except docker.ComposeUnusableError as error:
                reason = str(error)
            else:
                decide(source, chosen=True, reason="the first way that works here")
                return broker
        decide(source, chosen=False, reason=reason)
    raise BrokerNotFoundError(install.ways_to_get_one())


def _install(timeout_s: float) -> Broker:
    install.install()
    return shared_node.start(timeout_s=timeout_s)


def _given(url: str) -> Broker:
    named = given_management_url()
    management_urls = [named] if named else management_guesses(url)
    refusals: list[BrokerNotReadyError] = []

    def attempt() -> Broker | None:
        for management_url in management_urls:
            try:
                return ready.look(url, management_url, source=AMQP_URL)
            except BrokerNotReadyError as error:
                refusals.append(error)
        return None

    try:
        broker = wait_until(attempt, timeout_s=GIVEN_BROKER_TIMEOUT_S, what="it", every_s=0.25)
    except WaitTimeoutError:
        raise refusals[-1] from None
    assert broker is not None
    decide(AMQP_URL, chosen=True, reason="set in the environment")
    return broker
