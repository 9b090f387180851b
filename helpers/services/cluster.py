"""A RabbitMQ cluster of three nodes, for experiments that kill one of them or cut it off."""

from helpers.errors import BrokerError, ServiceMissingError
from helpers.rabbitmq import ready
from helpers.rabbitmq.cluster import HOW, Cluster, alone, running
from helpers.services.private import switched_off

NAME = "a cluster of RabbitMQ"
PACKAGE = ""  # installing starts none

__all__ = [
    "NAME", "PACKAGE", "Cluster", "alone", "describe", "find", "generation", "is_running",
    "missing", "stop", "version",
]  # fmt: skip


def missing() -> str | None:
    """Return, in one sentence, what is missing and how to get it; None when nothing is."""
    if reason := switched_off():
        return f"A cluster is not used: {reason}."
    if running():
        return None
    return f"There is no cluster of three nodes: {HOW} gives one."


def find() -> Cluster:
    """Return the cluster that is running, as it is.

    Raises:
        ServiceMissingError: there is none; see ``missing``.
    """
    if reason := missing():
        raise ServiceMissingError(reason)
    return Cluster(running(), "/")


def version() -> str:
    """Return the version of RabbitMQ on the cluster's nodes, like "3.10.8"; "?" if none answers."""
    for node in running():
        try:
            seen = ready.look(node.broker.amqp_url, node.broker.management_url, source="")
        except BrokerError:
            continue
        return seen.version
    return "?"


def generation() -> str:
    """Return major and minor version of RabbitMQ on the cluster's nodes: "3.10", "4.0", "4.3"."""
    return ".".join(version().split(".")[:2])


def describe() -> str:
    """Return where its nodes are and how many are down, for ``status`` and the doctor."""
    found = find()
    up = [str(node.broker.port) for node in found.nodes if node.is_running]
    down = len(found.nodes) - len(up)
    source = found.nodes[0].broker.source
    text = f"version {version()}, {source}, AMQP ports {', '.join(up)}"
    return f"{text}; {down} of {len(found.nodes)} down" if down else text


def is_running() -> bool:
    """Return False: an experiment starts no cluster, but ``python -m helpers up --cluster``."""
    return False


def stop() -> str | None:
    """Return None: ``python -m helpers down`` stops a cluster."""
    return None
