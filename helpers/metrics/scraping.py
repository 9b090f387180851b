"""Read RabbitMQ's Prometheus endpoint as a DataFrame."""

import re
from typing import TYPE_CHECKING

import requests

from helpers import broker
from helpers.errors import BrokerNotReadyError, BrokerRefusedError, UsageError
from helpers.machine.http import loopback_session

if TYPE_CHECKING:
    import pandas as pd

ABOUT_THE_SCRAPE = ("rabbitmq_build_info", "rabbitmq_identity_info")
HTTP_S = (3.0, 10.0)


def prometheus(family: str = "", *more: str) -> "pd.DataFrame":
    """Scrape the node's Prometheus endpoint once.

    Args:
        family: a family of ``/metrics/detailed``, such as ``queue_coarse_metrics``,
            ``queue_consumer_count`` or ``channel_queue_metrics`` (all generations); empty for the
            node's totals from ``/metrics``. A family that this node does not have gives no rows.
        more: further families.

    Returns:
        DataFrame: ``metric`` str, RabbitMQ's name; ``queue`` and ``vhost`` str, empty where the
        metric has no such label; ``value`` float; then one str column per further label. Only the
        scratch vhost's queues; without statistics yet, no rows. A queue's gauges are up to 5 s
        old, a channel's counters are current.

    Raises:
        UsageError: not the name of a family.
        BrokerRefusedError: the node has no Prometheus endpoint that can be reached.
        BrokerNotReadyError: the endpoint does not answer in time.

    Source: RabbitMQ documentation, "Monitoring with Prometheus and Grafana".
    """
    import pandas as pd
    from prometheus_client.parser import text_string_to_metric_families

    families = [name for name in (family, *more) if name]
    for name in families:
        if not re.fullmatch(r"[a-z_]+", name):
            raise UsageError(f"{name!r} is not a family such as queue_coarse_metrics")
    vhost = broker.vhost()
    rows = []
    for metric in text_string_to_metric_families(_scrape(families, vhost)):
        for sample_ in metric.samples:
            if not sample_.name.startswith("rabbitmq_") or sample_.name in ABOUT_THE_SCRAPE:
                continue
            if sample_.labels.get("vhost", vhost) == vhost:
                labels = {"queue": "", "vhost": "", **sample_.labels}
                rows.append({"metric": sample_.name, **labels, "value": float(sample_.value)})
    first = ["metric", "queue", "vhost", "value"]
    further = sorted({name for row in rows for name in row} - set(first))
    frame = pd.DataFrame(rows, columns=first + further)
    return frame.fillna(dict.fromkeys(further, "")).astype({"value": float})


def _scrape(families: list[str], vhost: str) -> str:
    base = broker.find().prometheus_url
    if base is None:
        raise BrokerRefusedError(
            "this broker has no Prometheus endpoint that can be reached: is the plugin"
            " rabbitmq_prometheus enabled, and its port open?"
        )
    url = base.rstrip("/") + ("/metrics/detailed" if families else "/metrics")
    try:
        with loopback_session() as session:
            answer = session.get(
                url, params={"family": families, "vhost": vhost} if families else {}, timeout=HTTP_S
            )
            answer.raise_for_status()
    except requests.RequestException as error:
        raise BrokerNotReadyError(f"no Prometheus metrics from {url}: {error}") from None
    return answer.text
