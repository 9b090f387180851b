"""A broker that answers: its URLs and versions."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

import pika

from helpers.errors import UsageError
from helpers.machine import addresses
from helpers.rabbitmq.generations import generation_of

AMQP_URL, MANAGEMENT_URL = "AMQP_URL", "MANAGEMENT_URL"
AMQP_FORM = "amqp://user:password@host:5672/%2F"
MANAGEMENT_FORM = "http://host:15672"
AMQP_PORTS = {"amqp": 5672, "amqps": 5671}
TLS_WORDS = ("ssl", "tls", "secure", "verify")


@dataclass(frozen=True, repr=False)
class Broker:
    """A broker on which a login, a declare and a call of the management API have succeeded."""

    amqp_url: str
    management_url: str
    prometheus_url: str | None
    source: str
    version: str
    erlang: str

    def __repr__(self) -> str:
        """Return one line without the password."""
        return f"Broker(RabbitMQ {self.version}, {self.source}, {self.host}:{self.port})"

    @property
    def host(self) -> str:
        """Host name or address of the AMQP listener."""
        return urlsplit(self.amqp_url).hostname or "localhost"

    @property
    def port(self) -> int:
        """Port of the AMQP listener."""
        parts = urlsplit(self.amqp_url)
        return parts.port or AMQP_PORTS[parts.scheme]

    @property
    def user(self) -> str:
        """User of the AMQP URL."""
        return credentials(self.amqp_url)[0]

    @property
    def generation(self) -> str:
        """Major and minor version, such as "3.10"."""
        return generation_of(self.version)

    @property
    def management_page(self) -> str:
        """URL of the management page without user and password."""
        return without_credentials(self.management_url)


def credentials(url: str) -> tuple[str, str]:
    """Return user and password of a URL; guest, guest if it has none."""
    parts = urlsplit(url)
    if parts.username is None:
        return "guest", "guest"
    return unquote(parts.username), unquote(parts.password or "")


def without_credentials(url: str) -> str:
    """Return the URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def given_amqp_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of ``AMQP_URL`` in the one form that all its readers understand.

    Args:
        environ: the environment.

    Returns:
        The URL; "" when the variable is not set.

    Raises:
        UsageError: it is not of the form ``amqp://user:password@host:5672/%2F``, or pika does not
            know a parameter after its ``?``; no part of the password is in the message.
    """
    if not (value := addresses.given(AMQP_URL, environ)):
        return ""
    url = addresses.checked_server_url(AMQP_URL, value, example=AMQP_FORM, schemes=AMQP_PORTS)
    parts = urlsplit(url)
    vhost = parts.path.removeprefix("/")
    if vhost != "/":  # as other clients write it, and pika does not
        vhost = vhost.removesuffix("/")
        addresses.check_encoded(AMQP_URL, vhost, reserved="/")
    addresses.check_encoded(AMQP_URL, url, reserved="#")
    _check_parameters(parts.query)
    path = f"/{quote(unquote(vhost), safe='')}" if vhost else parts.path
    return urlunsplit(parts._replace(path=path))


def given_management_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of ``MANAGEMENT_URL``.

    Args:
        environ: the environment.

    Returns:
        The URL, without what a browser adds to it; "" when the variable is not set.

    Raises:
        UsageError: it is not of the form ``http://host:15672``; no part of a password is in the
            message.
    """
    if not (value := addresses.given(MANAGEMENT_URL, environ)):
        return ""
    form, schemes = MANAGEMENT_FORM, ("http", "https")
    url = addresses.checked_server_url(MANAGEMENT_URL, value, example=form, schemes=schemes)
    return addresses.without_rest(url)


def _check_parameters(query: str) -> None:
    for name, values in parse_qs(query).items():
        try:
            pika.URLParameters(f"amqp://localhost/?{urlencode({name: values}, doseq=True)}")
        except Exception as error:  # pika evaluates some values, which may raise anything
            if not str(error).startswith("Unknown"):
                said = f"pika refuses the value of its parameter {name!r}"
            elif name in TLS_WORDS:
                said = f"pika has no parameter {name!r}: for TLS, begin the URL with amqps://"
            else:
                said = f"pika has no parameter {name!r}"
            raise UsageError(f"{AMQP_URL} cannot be used: {said}") from None


def management_guesses(amqp_url: str) -> list[str]:
    """Return the usual URLs of the management API of an AMQP URL's broker, likeliest first."""
    parts = urlsplit(amqp_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    secure = parts.scheme == "amqps"
    scheme, usual = ("https", 15671) if secure else ("http", 15672)
    shifted = (parts.port or AMQP_PORTS[parts.scheme]) + 10_000
    ports = [shifted, usual] if 0 < shifted < 65_536 else [usual]
    return [f"{scheme}://{host}:{port}" for port in dict.fromkeys(ports)]
