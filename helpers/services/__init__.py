"""What may be absent: PostgreSQL, Prometheus, Kafka, a cluster, a server, some rights.

A service is a module that fits `Service`, and one line in `SERVICES`. Using a service installs
nothing; ``make test`` installs what is missing, as root on Debian or Ubuntu.
``RABBIT_LAB_SERVICES=off`` makes all but the RabbitMQ server and the rights count as missing.
"""

from collections.abc import Iterable
from typing import Protocol

from helpers.services import administrator, cluster, kafka, node, postgresql, prometheus


class Service(Protocol):
    """The functions of a module that stands for a service."""

    NAME: str
    PACKAGE: str  # Debian's package, "" if `make test` installs none

    def missing(self) -> str | None:
        """Return, in one sentence, what is missing and how to get it; None when nothing is."""

    def version(self) -> str:
        """Return its version, "" if it is unknown."""

    def describe(self) -> str:
        """Return where it is, for ``status`` and the doctor."""

    def is_running(self) -> bool:
        """Return whether it runs because an experiment of this checkout needed it."""

    def stop(self) -> str | None:
        """Stop what experiments started; return what was stopped, None when nothing was."""


# Each by the tag of the cells that need it.
SERVICES: dict[str, Service] = {
    "needs-postgresql": postgresql,
    "needs-prometheus": prometheus,
    "needs-kafka": kafka,
    "needs-cluster": cluster,
    "needs-node": node,
    "needs-administrator": administrator,
}


def missing(tags: Iterable[str]) -> str | None:
    """Return what a cell with these tags lacks, in one sentence, or None.

    Args:
        tags: the cell's tags; tags that name no service are ignored.
    """
    for tag in tags:
        if tag in SERVICES and (sentence := SERVICES[tag].missing()):
            return sentence
    return None
