"""Exchanges, bindings and queues: declared with every decision visible, and read back live."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from pika.exceptions import ChannelClosedByBroker

from helpers import broker
from helpers.errors import BrokerRefusedError, UsageError

if TYPE_CHECKING:
    import pandas as pd

QueueType = Literal["classic", "quorum", "stream"]

# The broker accepts an argument that it does not know, so a typo would go unnoticed.
ARGUMENTS = (
    "x-consumer-timeout",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-delayed-retry-max",
    "x-delayed-retry-min",
    "x-delayed-retry-type",
    "x-delivery-limit",
    "x-expires",
    "x-initial-cluster-size",
    "x-max-age",
    "x-max-in-memory-bytes",
    "x-max-in-memory-length",
    "x-max-length",
    "x-max-length-bytes",
    "x-max-priority",
    "x-message-ttl",
    "x-overflow",
    "x-queue-leader-locator",
    "x-queue-mode",
    "x-queue-version",
    "x-quorum-initial-group-size",
    "x-single-active-consumer",
    "x-stream-filter-size-bytes",
    "x-stream-max-segment-size-bytes",
)


def declare_queue(
    channel: Any,
    name: str,
    *,
    queue_type: QueueType,
    durable: bool,
    exclusive: bool = False,
    auto_delete: bool = False,
    **arguments: Any,
) -> str:
    """Declare a queue.

    Args:
        channel: an open channel; the broker closes it when it refuses the queue.
        name: up to 255 bytes; empty: the broker chooses one.
        queue_type: "classic", "quorum" or "stream"; the last two have to be durable, and neither
            exclusive nor auto_delete.
        durable: the queue survives a restart of the broker. RabbitMQ deprecates queues that are
            neither durable nor exclusive.
        exclusive: only for this connection, and deleted with it.
        auto_delete: deleted when its last consumer leaves.
        arguments: optional arguments without "x-" and with underscores: ``max_length=5``
            [messages], ``message_ttl=1000`` [ms], ``dead_letter_exchange="dlx"``. One that is
            spelled as on the wire (``**{"x-new": 1}``) is passed on unchecked.

    Returns:
        The name of the queue.

    Raises:
        UsageError: a combination that no broker accepts or that is deprecated, or an argument
            that RabbitMQ does not have.
        BrokerRefusedError: the broker refused, for instance because the queue exists and differs.

    Source: AMQP 0-9-1, ``queue.declare``; RabbitMQ documentation, "Queues".
    """
    if queue_type not in get_args(QueueType):
        raise UsageError(f"queue_type must be classic, quorum or stream, not {queue_type!r}")
    if queue_type != "classic" and (not durable or exclusive or auto_delete):
        raise UsageError(
            f"a {queue_type} queue is always durable=True, never exclusive or auto_delete"
        )
    if not durable and not exclusive:
        raise UsageError(
            "a queue that is neither durable nor exclusive is deprecated: choose durable=True, or"
            " exclusive=True for a queue that ends with its connection"
        )
    wire = {_argument(key): value for key, value in arguments.items()}
    try:
        declared = channel.queue_declare(
            name,
            durable=durable,
            exclusive=exclusive,
            auto_delete=auto_delete,
            arguments={"x-queue-type": queue_type, **wire},
        )
    except ChannelClosedByBroker as error:
        raise _refused(f"queue {name!r}", error) from None
    return str(declared.method.queue)


def bind(
    channel: Any,
    exchange: str,
    queue: str,
    *,
    routing_key: str = "",
    headers: Mapping[str, Any] | None = None,
) -> None:
    """Bind a queue to an exchange; a second time changes nothing.

    Args:
        channel: an open channel; the broker closes it when it refuses the binding.
        exchange: an existing exchange, not the default one.
        queue: an existing queue.
        routing_key: what a direct or topic exchange compares, up to 255 bytes.
        headers: what a headers exchange compares, with "x-match" among them.

    Raises:
        UsageError: the default exchange, whose bindings are fixed.
        BrokerRefusedError: the broker refused, for instance because there is no such exchange.

    Source: AMQP 0-9-1, ``queue.bind``; RabbitMQ documentation, "Exchanges".
    """
    if not exchange:
        raise UsageError(
            "the default exchange takes no bindings: it routes to the queue named by routing_key"
        )
    try:
        channel.queue_bind(
            queue, exchange, routing_key=routing_key, arguments=dict(headers) if headers else None
        )
    except ChannelClosedByBroker as error:
        raise _refused(f"the binding of queue {queue!r} to exchange {exchange!r}", error) from None


def _argument(key: str) -> str:
    if key.startswith("x-"):
        return key
    wire = "x-" + key.removeprefix("x_").replace("_", "-")
    if wire in ARGUMENTS:
        return wire
    near = difflib.get_close_matches(wire, ARGUMENTS, n=1)
    hint = f"did you mean {near[0][2:].replace('-', '_')}? " if near else ""
    raise UsageError(
        f"RabbitMQ has no queue argument {wire}. {hint}Pass **{{{wire!r}: …}} to declare it anyway."
    )


def _refused(what: str, error: ChannelClosedByBroker) -> BrokerRefusedError:
    return BrokerRefusedError(
        f"the broker refused {what} and closed the channel: {error.reply_code} {error.reply_text}"
    )


@dataclass(frozen=True, repr=False, eq=False)
class Topology:
    """What the scratch vhost holds; see `live` for the columns."""

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
        Four DataFrames, sorted; all columns str unless said:
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
