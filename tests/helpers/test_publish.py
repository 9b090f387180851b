import pytest

from helpers import publish
from helpers.errors import UsageError, WaitTimeoutError
from helpers.history import History


def send(channel, messages, **choices):
    defaults = {
        "exchange": "", "routing_key": "q", "persistent": False,
        "mandatory": False, "confirms": True,
    }  # fmt: skip
    return publish.publish_batch(channel, messages, **{**defaults, **choices})


@pytest.fixture
def queue(channel):
    channel.queue_declare("q", durable=True)
    return "q"


def bodies(channel):
    taken = []
    while (got := channel.basic_get("q", auto_ack=True))[0]:
        taken.append(got)
    return taken


def test_confirmed_messages_are_there_at_once_in_order(channel, queue):
    assert send(channel, 50) == 50
    assert channel.queue_declare(queue, passive=True).method.message_count == 50
    assert [p.message_id for _, p, _ in bodies(channel)] == [str(n) for n in range(50)]


def test_bodies_headers_ids_and_persistence_are_as_asked(channel, queue):
    headers = {"kind": "comment"}
    send(channel, ["a", b"b"], persistent=True, headers=headers, first_id=7)
    first, second = bodies(channel)
    assert (first[2], second[2]) == (b"a", b"b")
    assert [p.message_id for _, p, _ in (first, second)] == ["7", "8"]
    assert first[1].delivery_mode == 2
    assert first[1].headers == headers


def test_unroutable_and_mandatory_is_returned_and_recorded(channel):
    history = History()
    assert send(channel, 3, routing_key="no.such.queue", mandatory=True, history=history) == 0
    assert [e.kind for e in history.events(message=0)] == ["publish", "return"]
    assert len(history.events("return")) == 3


def test_unroutable_without_mandatory_counts_as_accepted(channel):
    assert send(channel, 3, routing_key="no.such.queue") == 3


def test_a_full_queue_that_rejects_publishes_nacks_them(channel):
    channel.queue_declare(
        "q", durable=True, arguments={"x-max-length": 3, "x-overflow": "reject-publish"}
    )
    history = History()
    assert send(channel, 10, history=history) == 3
    assert len(history.events("nacked")) == 7
    assert len(history.events("confirm")) == 3


def test_asking_for_confirms_twice_is_fine(channel, queue, caplog):
    assert send(channel, 1) == send(channel, 1) == 1
    assert caplog.text == ""


def test_without_confirms_nothing_is_known_of_the_fate(channel, queue):
    history = History()
    assert send(channel, 5, confirms=False, history=history) == 5
    assert {e.kind for e in history.events()} == {"publish"}


def test_mandatory_without_confirms_is_refused(channel):
    with pytest.raises(UsageError, match="confirms=True"):
        send(channel, 1, mandatory=True, confirms=False)


def test_each_routing_key_is_found_in_the_queue_that_it_leads_to(channel):
    for queue in ("a", "b"):
        channel.queue_declare(queue, durable=True)
        channel.queue_bind(queue, "amq.topic", routing_key=f"{queue}.#")
    found = publish.route(channel, "amq.topic", ["b.1", "a.1", "b.2"], ["a", "b"], timeout_s=10)
    assert found.to_dict() == {"b.1": "b", "a.1": "a", "b.2": "b"}
    assert list(found.index) == ["b.1", "a.1", "b.2"]
    for queue in ("a", "b"):
        assert channel.queue_declare(queue, passive=True).method.message_count == 0


def test_routing_key_without_a_queue_is_an_error(channel, queue):
    with pytest.raises(WaitTimeoutError, match=r"2 messages in 1 queue\(s\)"):
        publish.route(channel, "", [queue, "nowhere"], [queue], timeout_s=0.2)
