"""Read a system's numbers from the broker.

Counters come from the Prometheus endpoint, where those of channels are current. Gauges come from a
passive declare and from the queue itself, since those of the endpoint are seconds old.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import requests
from prometheus_client.parser import text_string_to_metric_families

from helpers import broker
from helpers.errors import BrokerNotReadyError, BrokerRefusedError
from helpers.machine.http import loopback_session
from helpers.metrics.queue_metrics import QUEUES
from labs.judge.connecting import HEARTBEAT_S, connect

FAMILIES = ("channel_queue_metrics", "channel_exchange_metrics")
PREFIX = "rabbitmq_detailed_channel_messages_"
HTTP_S = (3.0, 10.0)

Reading = dict[str, float]


class Watched(Protocol):
    """The names of the parts of a system."""

    exchange: str
    queue: str
    dlq: str


@dataclass(frozen=True)
class Place:
    """A vhost of a node, with ways to connect to it, call its API, and scrape it."""

    connect: Callable[..., Any]
    api: Callable[[str], Any]
    prometheus_url: str
    vhost: str
    set_memory_limit: Callable[..., Any] = lambda *_: None  # only of a separate node


def shared() -> Place:
    """Return the scratch vhost of the shared broker.

    Raises:
        BrokerRefusedError: its Prometheus endpoint cannot be reached.
    """
    url = broker.find().prometheus_url
    if url is None:
        raise BrokerRefusedError("lab 10 is about metrics: it needs the plugin rabbitmq_prometheus")
    return Place(connect, lambda path: broker.api("GET", path), url, broker.vhost())


def alone(node: broker.DisposableNode) -> Place:
    """Return the default vhost of a separate node, whose alarm blocks no other system."""

    def api(path: str) -> Any:
        path = path.replace("{vhost}", quote("/", safe=""))
        return node.api("GET", path)

    def set_memory_limit(*arguments: str) -> None:
        node.ctl("set_vm_memory_high_watermark", *arguments)

    assert node.broker.prometheus_url
    patient = partial(node.connect, heartbeat=HEARTBEAT_S)
    return Place(patient, api, node.broker.prometheus_url, "/", set_memory_limit)


class Reader:
    """Read the numbers of systems at one place."""

    def __init__(self, place: Place, systems: Sequence[Watched]) -> None:
        """Connect; `read` may be called by one thread only.

        Args:
            place: the vhost of the systems.
            systems: the systems to read.
        """
        self._place, self._systems = place, systems
        self._connection = place.connect()
        self._channel = self._connection.channel()
        self._session = loopback_session()
        self._began_s = time.monotonic()

    def read(self) -> list[Reading]:
        """Return one reading of each system."""
        t_s = time.monotonic() - self._began_s
        counters, alarms = self._scrape(), self._alarms()
        depths = {queue["name"]: queue for queue in self._place.api(QUEUES)}
        readings = []
        for system in self._systems:
            state = self._channel.queue_declare(system.queue, passive=True).method
            dead = self._channel.queue_declare(system.dlq, passive=True).method.message_count
            readings.append({
                "t_s": t_s,
                "published": counters["published", system.exchange],
                "dropped": counters["unroutable_dropped", system.exchange],
                "ready": float(state.message_count),
                "unacked": float(depths[system.queue].get("messages_unacknowledged") or 0),
                "consumers": float(state.consumer_count),
                "delivered": counters["delivered_ack", system.queue],
                "redelivered": counters["redelivered", system.queue],
                "acked": counters["acked", system.queue],
                "dead_letters": float(dead),
                "alarms": alarms,
            })  # fmt: skip
        return readings

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._connection.close()

    def _scrape(self) -> dict[tuple[str, str], float]:
        url = f"{self._place.prometheus_url.rstrip('/')}/metrics/detailed"
        query = {"family": FAMILIES, "vhost": self._place.vhost}
        try:
            answer = self._session.get(url, params=query, timeout=HTTP_S)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise BrokerNotReadyError(f"no Prometheus metrics from {url}: {error}") from None
        values: dict[tuple[str, str], float] = defaultdict(float)
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                # The query filters queues only: the answer has the channels of all vhosts.
                if (
                    sample.name.startswith(PREFIX)
                    and sample.labels.get("vhost") == self._place.vhost
                ):
                    name = sample.name.removeprefix(PREFIX).removesuffix("_total")
                    place = sample.labels.get("queue") or sample.labels.get("exchange", "")
                    values[name, place] += sample.value
        return values

    def _alarms(self) -> float:
        try:
            self._place.api("health/checks/alarms")
        except broker.ManagementApiError as error:
            if error.status != 503:
                raise
            return 1.0
        return 0.0
