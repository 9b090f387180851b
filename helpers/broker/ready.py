"""When a broker counts as ready, and what a failed connection means."""

import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pika
from pika import exceptions

from helpers.broker import management
from helpers.broker.model import Broker, credentials, without_credentials
from helpers.errors import BrokerError, BrokerNotFoundError, BrokerNotReadyError, BrokerRefusedError

PROMETHEUS = "http/prometheus"


def look(amqp_url: str, management_url: str, *, source: str) -> Broker:
    """Log in, declare a queue, ask the management API, and describe the broker.

    An open port is not enough: it opens before a login succeeds, and a health command
    may succeed before either.

    Raises:
        BrokerNotReadyError: it may become ready: refused, no answer in time.
        BrokerNotFoundError: the host name does not resolve.
        BrokerRefusedError: credentials, permissions, or not a RabbitMQ.
    """
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.blocked_connection_timeout = 5
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


def open_connection(parameters: pika.ConnectionParameters) -> pika.BlockingConnection:
    """Open a connection, or raise one clear sentence.

    Raises:
        BrokerError: see `explain`.
    """
    try:
        return pika.BlockingConnection(parameters)
    except (exceptions.AMQPError, OSError) as error:
        raise explain(error, parameters) from None


def explain(error: BaseException, parameters: pika.ConnectionParameters) -> BrokerError:
    """Return what went wrong with a connection as an error with one clear sentence.

    Args:
        error: what pika raised.
        parameters: what the connection was asked for.
    """
    where = f"{parameters.host}:{parameters.port}"
    user = getattr(parameters.credentials, "username", "?")
    causes = list(_causes(error))
    if any(isinstance(c, socket.gaierror) for c in causes):
        return BrokerNotFoundError(
            f"the host name {parameters.host!r} does not resolve: check AMQP_URL"
        )
    for cause in causes:
        match cause:
            case exceptions.ProbableAuthenticationError() | exceptions.AuthenticationError():
                return BrokerRefusedError(_login_refused(where, parameters.host, user))
            case exceptions.ProbableAccessDeniedError():
                return _vhost_refused(where, parameters.virtual_host, user, cause)
            case exceptions.ConnectionClosedByBroker() if cause.reply_code in (403, 530):
                return _vhost_refused(where, parameters.virtual_host, user, cause)
            case ConnectionRefusedError():
                return BrokerNotReadyError(
                    f"nothing listens at {where} (connection refused): is the broker running,"
                    " and is the port right?"
                )
            case ssl.SSLError():
                return BrokerRefusedError(f"no TLS connection with {where}: {cause.reason}")
            case TimeoutError() | exceptions.AMQPHeartbeatTimeout():
                return BrokerNotReadyError(f"{where} does not answer in time")
            case exceptions.IncompatibleProtocolError():
                return BrokerRefusedError(
                    f"{where} answers, but does not speak AMQP 0-9-1: is it the port of something"
                    " else, of the management page or of TLS?"
                )
    last = causes[-1]
    if "timed out" in f"{error!r} {last!r}".lower() or "timeout" in repr(last).lower():
        return BrokerNotReadyError(f"{where} does not answer in time")
    return BrokerNotReadyError(f"the connection to {where} failed: {_text(last)}")


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


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _login_refused(where: str, host: str, user: str) -> str:
    message = f"{where} refused the login of user {user!r}: check user and password"
    if user == "guest" and not is_loopback(host):
        message += "; RabbitMQ lets guest log in over loopback only, so create another user"
    return message


def _vhost_refused(where: str, vhost: str, user: str, error: Any) -> BrokerRefusedError:
    if "not found" in str(error):
        return BrokerRefusedError(f"there is no vhost {vhost!r} at {where}")
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
    host = urlsplit(management_url).hostname
    for listener in overview.get("listeners", ()):
        if listener.get("protocol") == PROMETHEUS:
            if port_answers(host, listener["port"]):
                shown = f"[{host}]" if ":" in host else host
                return f"http://{shown}:{listener['port']}"
            return None
    return None


def port_answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Return whether a TCP connect succeeds."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
