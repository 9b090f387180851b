"""Read the exchanges, bindings, queues and consumers of the scratch vhost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers import broker

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class Topology:
    """The contents of the scratch vhost; see `live` for the columns."""

    exchanges: "pd.DataFrame"
    bindings: "pd.DataFrame"
    queues: "pd.DataFrame"
    consumers: "pd.DataFrame"

    def __repr__(self) -> str:
        """Return the counts in one line."""
        counts = ", ".join(
            f"{len(frame)} {kind if len(frame) != 1 else kind[:-1]}"
            for kind, frame in vars(self).items()
        )
        return f"Topology({counts})"


def live(*, default_exchange: bool = False) -> Topology:
    """Read the topology of the scratch vhost.

    Args:
        default_exchange: include the default exchange and the binding that it has to every queue.

    Returns:
        Four DataFrames, sorted; columns are str unless noted:
        ``exchanges``: name, type, durable bool, alternate (None without an alternate exchange);
        the built-in ``amq.*`` only when something is bound to or from them.
        ``bindings``: source, destination, destination_type ("queue" or "exchange"), routing_key,
        arguments (dict).
        ``queues``: name, type, durable bool, dead_letter_exchange (None without one, "" for the
        default exchange).
        ``consumers``: queue, consumer_tag. A new consumer may be missing for its first 5 s;
        `helpers.metrics.wait_for_consumers` waits for it.
        Alternate and dead-letter exchange are those of the arguments or else of the policy.

    Raises:
        BrokerError: the management API does not answer or refuses.

    Source: RabbitMQ documentation, "Management HTTP API".
    """
    policies = {
        policy["name"]: policy["definition"] for policy in broker.api("GET", "policies/{vhost}")
    }
    bindings = [
        binding
        for binding in broker.api("GET", "bindings/{vhost}")
        if binding["source"] or default_exchange
    ]
    ends = {binding[end] for binding in bindings for end in ("source", "destination")}
    exchanges = [
        {**exchange, "alternate": _setting(exchange, "alternate-exchange", policies)}
        for exchange in broker.api("GET", "exchanges/{vhost}?disable_stats=true")
        if _shown(exchange["name"], ends, default_exchange)
    ]
    queues = [
        {**queue, "dead_letter_exchange": _setting(queue, "x-dead-letter-exchange", policies)}
        for queue in broker.api("GET", "queues/{vhost}?disable_stats=true&enable_queue_totals=true")
    ]
    consumers = [
        {"queue": consumer["queue"]["name"], "consumer_tag": consumer["consumer_tag"]}
        for consumer in broker.api("GET", "consumers/{vhost}")
    ]
    return Topology(
        exchanges=_frame(exchanges, ["name", "type", "durable", "alternate"], 1),
        bindings=_frame(
            bindings, ["source", "destination", "destination_type", "routing_key", "arguments"], 4
        ),
        queues=_frame(queues, ["name", "type", "durable", "dead_letter_exchange"], 1),
        consumers=_frame(consumers, ["queue", "consumer_tag"], 2),
    )


def _shown(exchange: str, ends: set[str], default_exchange: bool) -> bool:
    if not exchange:
        return default_exchange
    return exchange in ends or not exchange.startswith("amq.")


def _setting(item: Mapping[str, Any], argument: str, policies: Mapping[str, Any]) -> str | None:
    by_policy = policies.get(item.get("policy") or "", {}).get(argument.removeprefix("x-"))
    found = item["arguments"].get(argument, by_policy)
    return None if found is None else str(found)


def _frame(rows: list[dict[str, Any]], columns: list[str], keys: int) -> "pd.DataFrame":
    import pandas as pd

    optional = {"alternate", "dead_letter_exchange", "arguments"}
    dtypes = {
        column: object if column in optional else bool if column == "durable" else str
        for column in columns
    }
    rows = sorted(rows, key=lambda row: [str(row[column]) for column in columns[:keys]])
    cells = [[row[column] for column in columns] for row in rows]
    return pd.DataFrame(cells, columns=columns, dtype=object).astype(dtypes)
