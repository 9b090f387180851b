"""What a Kafka broker says about itself before anything else: one request, one answer."""

import socket
import struct

from helpers.errors import ServiceNotReadyError

API_VERSIONS, VERSION, CORRELATION = 18, 3, 1
FINALIZED = 2  # the tag of the features that are in use
MOST_BYTES = 1_000_000
REQUEST = struct.pack(">hhih", API_VERSIONS, VERSION, CORRELATION, -1) + b"\0\x04lab\x021\0"


def features(host: str, port: int, *, timeout_s: float) -> dict[str, int]:
    """Ask a broker for the levels of its features, such as ``metadata.version``.

    Args:
        host: a name or an address.
        port: of a listener without TLS and login.
        timeout_s: for the connection, and for each part of the answer, in seconds.

    Returns:
        The finalized level of each feature.

    Raises:
        ServiceNotReadyError: nothing answers there, or something that is no Kafka.

    Source: Kafka documentation, "Protocol: ApiVersions", version 3.
    """
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as link:
            link.sendall(struct.pack(">i", len(REQUEST)) + REQUEST)
            (size,) = struct.unpack(">i", _read(link, 4))
            if not 10 <= size <= MOST_BYTES:
                raise ValueError(f"an answer of {size} bytes")
            return parse(_read(link, size))
    except OSError as error:
        raise ServiceNotReadyError(
            f"no Kafka answers at {host}:{port}: {error.strerror or error}"
        ) from None
    except (ValueError, IndexError, struct.error):
        raise ServiceNotReadyError(
            f"what answers at {host}:{port} is no Kafka without TLS and login"
        ) from None


def parse(answer: bytes) -> dict[str, int]:
    """Return the finalized features of an answer to ApiVersions.

    Args:
        answer: without its length.

    Raises:
        ValueError: it is no such answer; IndexError and struct.error: it is cut off.
    """
    reader = _Reader(answer)
    if reader.number("i") != CORRELATION or reader.number("h") != 0:
        raise ValueError("not the answer to this request")
    for _ in range(reader.varint() - 1):
        reader.take(6)  # an API's key, its lowest and highest version
        reader.skip_tags()
    reader.number("i")  # how long to wait
    found: dict[str, int] = {}
    for _ in range(reader.varint()):
        tag, content = reader.varint(), _Reader(reader.take(reader.varint()))
        if tag == FINALIZED:
            for _ in range(content.varint() - 1):
                name = content.take(content.varint() - 1).decode()
                found[name] = content.number("h")  # the highest level; the lowest follows
                content.number("h")
                content.skip_tags()
    return found


class _Reader:
    """Takes the parts of an answer one after the other."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.content) - self.at:
            raise ValueError("cut off")
        self.at += size
        return self.content[self.at - size : self.at]

    def number(self, form: str) -> int:
        (value,) = struct.unpack(f">{form}", self.take(struct.calcsize(form)))
        return int(value)

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def skip_tags(self) -> None:
        for _ in range(self.varint()):
            self.varint()
            self.take(self.varint())


def _read(link: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = link.recv(size - len(content))
        if not part:
            raise ValueError("cut off")
        content += part
    return content
