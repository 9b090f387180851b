"""Look whether a broker that answers also takes messages, and whether its metrics can be read."""

import re
from collections.abc import Mapping
from typing import Any

import requests

from helpers.errors import BrokerError, WaitTimeoutError
from helpers.machine.http import loopback_session
from helpers.rabbitmq import management
from helpers.rabbitmq.management import ManagementApiError
from helpers.rabbitmq.model import Broker, credentials
from helpers.waits import wait_until

ALARM = 503
HTTP_S = (3.0, 10.0)
STATISTICS_TIMEOUT_S = 12.0  # a node renews its statistics every 5 s
# Erlang's table of ports takes a dozen bytes for each descriptor that a process may open.
MANY_DESCRIPTORS = 10_000_000
FREE_SPACE = re.compile(r"^rabbitmq_disk_space_available_bytes(?:\{.*\})? (.+)$", re.MULTILINE)


def why_blocked(broker: Broker, *, timeout_s: float = STATISTICS_TIMEOUT_S) -> str:
    """Return why a broker blocks publishers; "" when it does not, or does not tell.

    Args:
        broker: one that answers.
        timeout_s: how long its statistics may take to show the reason, in seconds.

    Returns:
        A part of a sentence: "31 MB of disk left, it needs 50 MB".

    Source: RabbitMQ documentation, "Memory and Disk Alarms".
    """
    if not _has_alarm(broker):
        return ""
    try:
        reasons = wait_until(
            lambda: alarms(broker), timeout_s=timeout_s, what="the reason", every_s=0.2
        )
    except WaitTimeoutError:
        return "an alarm for memory or disk is in effect"
    return "; ".join(text for _, text in reasons)


def alarms(broker: Broker) -> list[tuple[str, str]]:
    """Return the alarms of a broker by its statistics, which are up to 5 s old.

    Returns:
        For each alarm "disk" or "memory", and what it is about.
    """
    try:
        nodes = _get(broker, "nodes")
    except BrokerError:
        return []
    return [
        (resource, (f"{node['name']}: " if len(nodes) > 1 else "") + text)
        for node in nodes
        for resource, text in (("disk", _disk(node)), ("memory", _memory(node)))
        if text
    ]


def why_unreadable(metrics_url: str) -> str:
    """Return why Prometheus refuses a node's metrics; "" when it takes them, or nothing answers.

    Args:
        metrics_url: of the node's ``/metrics``.

    Source: rabbitmq/rabbitmq-server#8740.
    """
    try:
        with loopback_session() as session:
            text = session.get(metrics_url, timeout=HTTP_S).text
    except requests.RequestException:
        return ""
    found = FREE_SPACE.search(text)
    if found is None or _is_number(found[1]):
        return ""
    return (
        f"its /metrics says {found[1].strip(chr(39))} for the free disk space, so Prometheus"
        " refuses all of its metrics: `df` cannot read its data folder, whose path may have a blank"
        " or an umlaut in it (rabbitmq-server issue 8740)"
    )


def _has_alarm(broker: Broker) -> bool:
    try:
        _get(broker, "health/checks/alarms")
    except ManagementApiError as error:
        return error.status == ALARM  # others: it has no such check, or the user may not ask
    except BrokerError:
        return False
    return False


def _get(broker: Broker, path: str) -> Any:
    return management.call(broker.management_url, credentials(broker.amqp_url), "GET", path)


def _disk(node: Mapping[str, Any]) -> str:
    if not node.get("disk_free_alarm"):
        return ""
    left, needed = size(node["disk_free"]), size(node["disk_free_limit"])
    return f"{left} of disk left, it needs {needed}"


def _memory(node: Mapping[str, Any]) -> str:
    if not node.get("mem_alarm"):
        return ""
    text = f"{size(node['mem_used'])} of memory used, it may use {size(node['mem_limit'])}"
    descriptors = node.get("fd_total", 0)
    if isinstance(descriptors, int) and descriptors > MANY_DESCRIPTORS:
        text += (
            f"; it may open {descriptors:,} files, for which Erlang takes memory at its start:"
            " give its container a limit, such as `ulimits: nofile: 65536` in a Compose file"
            " (docker-library/rabbitmq issue 545)"
        )
    return text


def size(size_bytes: Any) -> str:
    """Return a number of bytes as "31 MB" or "1.5 GB"; what is no number as it is."""
    if not isinstance(size_bytes, int | float):
        return str(size_bytes)
    if size_bytes < 1e9:
        return f"{size_bytes / 1e6:.0f} MB"
    return f"{size_bytes / 1e9:,.1f} GB"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
