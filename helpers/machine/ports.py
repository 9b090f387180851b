"""Find free ports on loopback."""

import random
import socket
from dataclasses import dataclass, fields

from helpers.errors import BrokerNotReadyError

# Below the range of outgoing connections. A port in that range may be taken while a node is down,
# and a client that retries may even connect to itself.
RANGE = range(20_000, 32_000)


class PortTakenError(BrokerNotReadyError):
    """Another process took a port between the check and its use."""


@dataclass(frozen=True)
class Ports:
    """The six ports of a node."""

    amqp: int
    management: int
    prometheus: int
    stream: int
    distribution: int
    epmd: int


def free_ports() -> Ports:
    """Return six different loopback ports on which no process listens right now.

    Raises:
        BrokerNotReadyError: there are not six.
    """
    return Ports(*free_port_numbers(len(fields(Ports))))


def free_port_numbers(wanted: int) -> list[int]:
    """Return different loopback ports on which no process listens right now.

    Args:
        wanted: how many.

    Raises:
        BrokerNotReadyError: there are fewer.
    """
    free: list[int] = []
    for port in random.sample(RANGE, len(RANGE)):
        if is_free(port):
            free.append(port)
            if len(free) == wanted:
                return free
    raise BrokerNotReadyError(
        f"fewer than {wanted} of the ports {RANGE.start} to {RANGE.stop - 1} are free"
    )


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a listener could be opened on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def port_answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Return whether a TCP connect succeeds."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
