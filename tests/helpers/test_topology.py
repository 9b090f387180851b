"""Declaring and reading back the topology of the scratch vhost."""

import pika
import pytest

from helpers import broker, metrics, topology
from helpers.errors import BrokerRefusedError, UsageError


@pytest.fixture
def channel():
    return broker.clean_channel()


def rows(frame, *columns):
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


@pytest.mark.parametrize("queue_type", ["classic", "quorum", "stream"])
def test_declare_queue_makes_a_durable_queue_of_each_type(channel, queue_type):
    assert topology.declare_queue(channel, "q", queue_type=queue_type, durable=True) == "q"
    assert rows(topology.live().queues, "name", "type", "durable") == [("q", queue_type, True)]


def test_declare_queue_returns_the_name_that_the_broker_chose(channel):
    name = topology.declare_queue(
        channel, "", queue_type="classic", durable=False, exclusive=True, auto_delete=True
    )
    assert name.startswith("amq.gen-")
    assert rows(topology.live().queues, "name", "durable") == [(name, False)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"queue_type": "lazy", "durable": True}, "queue_type must be classic, quorum or stream"),
        ({"queue_type": "quorum", "durable": False}, "quorum queue is always durable"),
        ({"queue_type": "stream", "durable": False}, "stream queue is always durable"),
        ({"queue_type": "quorum", "durable": True, "exclusive": True}, "never exclusive"),
        ({"queue_type": "stream", "durable": True, "auto_delete": True}, "never exclusive or auto"),
        ({"queue_type": "classic", "durable": False}, "deprecated"),
        ({"queue_type": "classic", "durable": True, "max_lenght": 1}, "did you mean max_length"),
        ({"queue_type": "classic", "durable": True, "bogus": 1}, "no queue argument x-bogus"),
    ],
)
def test_declare_queue_refuses_what_makes_no_sense(channel, options, says):
    with pytest.raises(UsageError, match=says):
        topology.declare_queue(channel, "q", **options)
    assert channel.is_open
    assert rows(topology.live().queues, "name") == []


def test_declare_queue_needs_its_decisions(channel):
    with pytest.raises(TypeError, match="durable"):
        topology.declare_queue(channel, "q", queue_type="classic")
    with pytest.raises(TypeError, match="queue_type"):
        topology.declare_queue(channel, "q", durable=True)


def test_declare_queue_passes_arguments_on(channel):
    topology.declare_queue(
        channel,
        "q",
        queue_type="classic",
        durable=True,
        max_length=2,
        x_overflow="reject-publish",
        **{"x-bogus": 7},
    )
    assert broker.api("GET", "queues/{vhost}/q")["arguments"] == {
        "x-queue-type": "classic",
        "x-max-length": 2,
        "x-overflow": "reject-publish",
        "x-bogus": 7,
    }


def test_declare_queue_says_what_the_broker_refused(channel):
    topology.declare_queue(channel, "q", queue_type="classic", durable=True)
    with pytest.raises(BrokerRefusedError, match=r"refused queue 'q'.* 406 PRECONDITION_FAILED"):
        topology.declare_queue(channel, "q", queue_type="quorum", durable=True)


def test_bind_refuses_the_default_exchange(channel):
    topology.declare_queue(channel, "q", queue_type="classic", durable=True)
    with pytest.raises(UsageError, match="takes no bindings"):
        topology.bind(channel, "", "q")
    assert channel.is_open


def test_bind_says_what_the_broker_refused(channel):
    topology.declare_queue(channel, "q", queue_type="classic", durable=True)
    with pytest.raises(BrokerRefusedError, match=r"exchange 'absent'.* 404 NOT_FOUND"):
        topology.bind(channel, "absent", "q")


def test_bound_queues_receive(channel):
    channel.exchange_declare("topic", "topic", durable=True)
    channel.exchange_declare("headers", "headers", durable=True)
    for name in ("by-key", "by-header", "by-empty-key"):
        topology.declare_queue(channel, name, queue_type="classic", durable=True)
    topology.bind(channel, "topic", "by-key", routing_key="document.*")
    topology.bind(channel, "topic", "by-empty-key")
    topology.bind(channel, "headers", "by-header", headers={"x-match": "all", "kind": "pdf"})
    channel.basic_publish("topic", "document.created", b"")
    channel.basic_publish("topic", "by-empty-key", b"")
    channel.basic_publish("headers", "", b"", pika.BasicProperties(headers={"kind": "pdf"}))
    channel.basic_publish("headers", "", b"", pika.BasicProperties(headers={"kind": "txt"}))
    metrics.wait_for_ready(channel, "by-key", 1, timeout_s=5)
    metrics.wait_for_ready(channel, "by-header", 1, timeout_s=5)
    assert metrics.ready(channel, "by-empty-key") == 0


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
    topology.declare_queue(
        channel, "work", queue_type="quorum", durable=True, dead_letter_exchange=""
    )
    topology.declare_queue(channel, "other", queue_type="classic", durable=True)
    broker.api(
        "PUT",
        "policies/{vhost}/lab",
        {
            "pattern": "^(other|work|by-policy)$",
            "apply-to": "all",
            "definition": {"dead-letter-exchange": "dlx", "alternate-exchange": "spare"},
        },
    )
    topology.bind(channel, "events", "work", routing_key="document.#")
    topology.bind(channel, "amq.headers", "other", headers={"x-match": "any", "n": 1})
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
    topology.declare_queue(channel, "q", queue_type="classic", durable=True)
    assert len(topology.live().bindings) == 0
    live = topology.live(default_exchange=True)
    assert rows(live.exchanges, "name", "type") == [("", "direct")]
    assert rows(live.bindings, "source", "destination", "routing_key") == [("", "q", "q")]


def test_live_lists_consumers(channel):
    topology.declare_queue(channel, "q", queue_type="classic", durable=True)
    channel.basic_consume("q", lambda *_: None, auto_ack=False, consumer_tag="indexer")
    metrics.wait_for_consumers("q", 1, timeout_s=20)
    live = topology.live()
    assert rows(live.consumers, "queue", "consumer_tag") == [("q", "indexer")]
    assert repr(live) == "Topology(0 exchanges, 0 bindings, 1 queue, 1 consumer)"
