"""Reading the topology of the scratch vhost."""

import pytest

from helpers import broker, metrics, topology


@pytest.fixture
def channel():
    return broker.clean_channel()


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


def test_live_of_an_empty_vhost(channel):
    live = topology.live()
    assert repr(live) == "Topology(0 exchanges, 0 bindings, 0 queues, 0 consumers)"
    assert list(live.exchanges.columns) == ["name", "type", "durable", "alternate"]
    assert list(live.bindings.columns) == [
        "source",
        "destination",
        "destination_type",
        "routing_key",
        "arguments",
    ]
    assert list(live.queues.columns) == ["name", "type", "durable", "dead_letter_exchange"]
    assert list(live.consumers.columns) == ["queue", "consumer_tag"]
    assert live.queues["durable"].dtype == bool


def test_live_reads_everything_back(channel):
    channel.exchange_declare(
        "events", "topic", durable=True, arguments={"alternate-exchange": "unrouted"}
    )
    channel.exchange_declare("unrouted", "fanout", durable=True)
    channel.exchange_declare("by-policy", "direct", durable=False)
    quorum = {"x-queue-type": "quorum", "x-dead-letter-exchange": ""}
    channel.queue_declare("work", durable=True, arguments=quorum)
    channel.queue_declare("other", durable=True)
    broker.api(
        "PUT",
        "policies/{vhost}/lab",
        {
            "pattern": "^(other|work|by-policy)$",
            "apply-to": "all",
            "definition": {"dead-letter-exchange": "dlx", "alternate-exchange": "spare"},
        },
    )
    channel.queue_bind("work", "events", "document.#")
    channel.queue_bind("other", "amq.headers", "", {"x-match": "any", "n": 1})
    channel.exchange_bind("unrouted", "events", "comment.*")
    channel.exchange_bind("amq.fanout", "events", "payment.*")

    live = topology.live()

    assert rows(live.exchanges, "name", "type", "durable", "alternate") == [
        ("amq.fanout", "fanout", True, None),
        ("amq.headers", "headers", True, None),
        ("by-policy", "direct", False, "spare"),
        ("events", "topic", True, "unrouted"),
        ("unrouted", "fanout", True, None),
    ]
    assert rows(live.bindings, *live.bindings.columns) == [
        ("amq.headers", "other", "queue", "", {"x-match": "any", "n": 1}),
        ("events", "amq.fanout", "exchange", "payment.*", {}),
        ("events", "unrouted", "exchange", "comment.*", {}),
        ("events", "work", "queue", "document.#", {}),
    ]
    assert rows(live.queues, "name", "type", "dead_letter_exchange") == [
        ("other", "classic", "dlx"),
        ("work", "quorum", ""),  # the argument wins over the policy
    ]
    assert repr(live) == "Topology(5 exchanges, 4 bindings, 2 queues, 0 consumers)"


def test_live_includes_the_default_exchange_on_request(channel):
    channel.queue_declare("q", durable=True)
    assert len(topology.live().bindings) == 0
    live = topology.live(default_exchange=True)
    assert rows(live.exchanges, "name", "type") == [("", "direct")]
    assert rows(live.bindings, "source", "destination", "routing_key") == [("", "q", "q")]


def test_live_lists_consumers(channel):
    channel.queue_declare("q", durable=True)
    channel.basic_consume("q", lambda *_: None, auto_ack=False, consumer_tag="indexer")
    metrics.wait_for_consumers("q", 1, timeout_s=20)
    live = topology.live()
    assert rows(live.consumers, "queue", "consumer_tag") == [("q", "indexer")]
    assert repr(live) == "Topology(0 exchanges, 0 bindings, 1 queue, 1 consumer)"
