"""A broker that answers: its URLs and versions."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from helpers.errors import UsageError
from helpers.rabbitmq.generations import generation_of

AMQP_PORTS = {"amqp": 5672, "amqps": 5671}


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


def check_amqp_url(url: str) -> str:
    """Return ``url`` when it is an AMQP URL.

    Raises:
        UsageError: it is not of the form ``amqp://user:password@host:5672/%2F``.
    """
    hint = "AMQP_URL has to look like amqp://user:password@host:5672/%2F"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it is what checks it)
    except ValueError as error:
        raise UsageError(f"{hint}: {error}") from None
    if parts.scheme not in AMQP_PORTS or not parts.hostname:
        raise UsageError(f"{hint}; this one begins with {parts.scheme or url[:12]!r}")
    return url


def management_guesses(amqp_url: str) -> list[str]:
    """Return the usual URLs of the management API of an AMQP URL's broker, likeliest first."""
    parts = urlsplit(amqp_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    secure = parts.scheme == "amqps"
    scheme, usual = ("https", 15671) if secure else ("http", 15672)
    shifted = (parts.port or AMQP_PORTS[parts.scheme]) + 10_000
    ports = [shifted, usual] if 0 < shifted < 65_536 else [usual]
    return [f"{scheme}://{host}:{port}" for port in dict.fromkeys(ports)]
