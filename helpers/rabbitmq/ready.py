"""Test whether a broker is ready, and explain failed connections."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pika
from pika import exceptions
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, BrokerRefusedError
from helpers.machine import tls
from helpers.machine.ports import port_answers
from helpers.rabbitmq import health, management
from helpers.rabbitmq.model import AMQP_PORTS, Broker, credentials, without_credentials
from helpers.rabbitmq.watched import watch

PROMETHEUS = "http/prometheus"
# Time limits in seconds, so that no call of pika waits for ever on a broker that hangs.
DEFAULTS: dict[str, Any] = {
    "blocked_connection_timeout": 10,
    "socket_timeout": 5,
    "stack_timeout": 10,
    "heartbeat": 30,
}


def look(amqp_url: str, management_url: str, *, source: str, timeout_s: float = 5.0) -> Broker:
    """Log in, declare a queue, ask the management API, and describe the broker.

    An open port is not enough: it opens before a login succeeds, and a health command
    may succeed before either.

    Args:
        amqp_url: where to log in.
        management_url: base URL of the management API.
        source: the way by which the broker was found.
        timeout_s: longest wait for each answer, in seconds.

    Raises:
        BrokerNotReadyError: it may become ready: refused, no answer in time.
        BrokerNotFoundError: the host name does not resolve.
        BrokerRefusedError: credentials, permissions, or not a RabbitMQ.
    """
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = timeout_s
    parameters.stack_timeout = timeout_s
    parameters.blocked_connection_timeout = timeout_s
    connection = open_connection(parameters)
    try:
        connection.channel().queue_declare("", exclusive=True)
        connection.close()
    except exceptions.AMQPError as error:
        raise explain(error, parameters) from None
    overview = management.call(management_url, credentials(amqp_url), "GET", "overview")
    if not isinstance(overview, dict) or "rabbitmq_version" not in overview:
        raise BrokerRefusedError(
            f"{without_credentials(management_url)} answers, but not as RabbitMQ's management API:"
            " is MANAGEMENT_URL right?"
        )
    return Broker(
        amqp_url=amqp_url,
        management_url=management_url,
        prometheus_url=_prometheus_url(management_url, overview),
        source=source,
        version=overview["rabbitmq_version"],
        erlang=overview["erlang_version"],
    )


def open_connection(
    parameters: pika.ConnectionParameters, broker: Broker | None = None
) -> pika.BlockingConnection:
    """Open a connection, or raise one clear sentence; see `watched.watch` for its later failures.

    Args:
        parameters: those of the connection.
        broker: asked for the reason when it blocks publishers.

    Raises:
        BrokerError: see `explain`.
    """
    try:
        connection = pika.BlockingConnection(parameters)
    except (exceptions.AMQPError, AMQPConnectorException, OSError) as error:
        raise explain(error, parameters) from None
    except ValueError as error:
        # pika raises it for a socket that the other side has closed as soon as it was open.
        if not isinstance(error.__context__, OSError):
            raise
        raise explain(error.__context__, parameters) from None
    watch(connection, lambda: health.alarms(broker) if broker else ())
    return connection


def hang_up(connection: pika.BlockingConnection) -> None:
    """Shut down a connection's socket at once, as a network failure does.

    Nothing is sent to the broker. From another thread, this ends a call of pika that blocks.

    Args:
        connection: one that may be closed already.
    """
    with suppress(AttributeError, OSError):  # closed already
        connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)


def explain(error: BaseException, parameters: pika.ConnectionParameters) -> BrokerError:
    """Return an error that explains in one sentence why a connection failed.

    Args:
        error: the exception that pika raised.
        parameters: those of the connection.
    """
    where = f"{parameters.host}:{parameters.port}"
    user = getattr(parameters.credentials, "username", "?")
    causes = list(_causes(error))
    for cause in causes:
        if (known := _known(cause, where, parameters, user)) is not None:
            return known
    if any("timeout" in f"{c!r} {c}".lower().replace("timed out", "timeout") for c in causes):
        return BrokerNotReadyError(f"{where} does not answer in time")
    last = causes[-1]
    return BrokerNotReadyError(
        f"the connection to {where} failed: {type(last).__name__}: {last}".rstrip(": ")
    )


def explain_cancel(connection: pika.BlockingConnection, queue: str) -> BrokerError:
    """Return an error that explains why the broker cancelled a consumer.

    Args:
        connection: an open one, into the queue's vhost.
        queue: the consumer's queue.

    Source: RabbitMQ documentation, "Consumer Cancel Notification".
    """
    reason = f"queue {queue!r} was deleted and declared again, or its node was down"
    try:
        connection.channel().queue_declare(queue, passive=True)
    except exceptions.ChannelClosedByBroker as error:
        deleted = "no queue" in error.reply_text
        reason = f"queue {queue!r} was deleted" if deleted else error.reply_text
    return BrokerError(f"the broker cancelled it: {reason}")


def _known(
    cause: BaseException, where: str, parameters: pika.ConnectionParameters, user: str
) -> BrokerError | None:
    found: BrokerError | None = None
    match cause:
        case socket.gaierror():
            found = BrokerNotFoundError(
                f"the host name {parameters.host!r} does not resolve: check AMQP_URL"
            )
        case exceptions.ProbableAuthenticationError() | exceptions.AuthenticationError():
            found = BrokerRefusedError(_login_refused(where, parameters.host, user))
        case exceptions.ProbableAccessDeniedError():
            found = _vhost_refused(where, parameters.virtual_host, user, cause)
        case exceptions.ConnectionClosedByBroker() if cause.reply_code in (403, 530):
            found = _vhost_refused(where, parameters.virtual_host, user, cause)
        case ConnectionRefusedError():
            found = BrokerNotReadyError(
                f"nothing listens at {where} (connection refused): is the broker running, and is"
                " the port right?"
            )
        case ssl.SSLError():
            found = BrokerRefusedError(_tls_failed(where, cause))
        case exceptions.IncompatibleProtocolError():
            # pika raises this for every connection that ends before the first answer.
            if not parameters.ssl_options and tls.speaks_tls(parameters.host, parameters.port):
                found = BrokerRefusedError(
                    f"{where} speaks TLS: in AMQP_URL, use amqps://, or the port without TLS, which"
                    f" is usually {AMQP_PORTS['amqp']}"
                )
            else:
                found = BrokerNotReadyError(
                    f"{where} hangs up before a login: it does not speak AMQP 0-9-1 (is it the port"
                    " of the management page or of something else?), or is starting or stopping"
                )
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    # pika wraps the socket's error two or three times, in different attributes.
    todo: list[Any] = [error]
    seen: set[int] = set()
    while todo:
        this = todo.pop(0)
        if not isinstance(this, BaseException) or id(this) in seen:
            continue
        seen.add(id(this))
        yield this
        todo += [*this.args, getattr(this, "exception", None), this.__cause__]
        todo += getattr(this, "exceptions", ())


def _login_refused(where: str, host: str, user: str) -> str:
    message = f"{where} refused the login of user {user!r}: check user and password"
    if user == "guest" and not is_loopback(host):
        message += "; RabbitMQ lets guest log in over loopback only, so create another user"
    return message


def _tls_failed(where: str, error: ssl.SSLError) -> str:
    if tls.is_plain(error):
        return (
            f"{where} speaks no TLS: in AMQP_URL, use amqp://, or the port with TLS, which is"
            f" usually {AMQP_PORTS['amqps']}"
        )
    reason = getattr(error, "verify_message", "") or error.reason or error
    return f"no TLS connection with {where}: {reason}"


def _vhost_refused(where: str, vhost: str, user: str, error: Any) -> BrokerRefusedError:
    if "not found" in str(error):
        return BrokerRefusedError(
            f"there is no vhost {vhost!r} at {where}: is the end of AMQP_URL right? (/ is %2F)"
        )
    return BrokerRefusedError(
        f"{where} refused user {user!r} the vhost {vhost!r}: {getattr(error, 'reply_text', error)}"
    )


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine's loopback, without asking DNS."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _prometheus_url(management_url: str, overview: dict[str, Any]) -> str | None:
    host = urlsplit(management_url).hostname or "localhost"
    for listener in overview.get("listeners", ()):
        if listener.get("protocol") == PROMETHEUS:
            if port_answers(host, listener["port"]):
                shown = f"[{host}]" if ":" in host else host
                return f"http://{shown}:{listener['port']}"
            return None
    return None
