"""Seeded incidents show what they say they show, and leave nothing running behind."""

import re
from contextlib import ExitStack

import pytest

from helpers import broker, incidents, metrics
from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.rabbitmq import server
from helpers.waits import wait_until

needs_server = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
IN_QUEUES = [i.name for i in incidents.ALL if i.queue]


def values(*families: str) -> dict[str, float]:
    """Return the scratch vhost's numbers: "index acked_total" and the like."""
    found = metrics.prometheus(*families)
    short = found["metric"].str.replace(r"^rabbitmq_detailed_\w+?_messages_", "", regex=True)
    place = found["queue"].where(found["queue"] != "", found.get("exchange", ""))
    return found["value"].groupby(place + " " + short).sum().to_dict()


def test_all_eight_are_described():
    table = incidents.table()
    assert len(table) == len(incidents.BY_NAME) == 8
    assert list(table.columns) == ["queue", "happens", "shows", "alert"]
    assert (table[["happens", "shows"]] != "").all(axis=None)


def test_each_trouble_has_a_rule_of_its_own():
    rules = re.findall(r"- alert: (\w+)", (ROOT / "monitoring" / "alerts.yml").read_text())
    wanted = [i.alert for i in incidents.ALL if i.alert]
    assert set(wanted) <= set(rules)
    assert len(wanted) == len(set(wanted)) == 7


def test_a_number_hides_an_incident_and_its_name_finds_it():
    hidden = [incidents.find(number).name for number in range(40)]
    assert hidden == [incidents.find(number).name for number in range(40)]
    assert set(hidden) == set(incidents.BY_NAME) - {incidents.BLOCKED}
    assert [incidents.find(name).name for name in incidents.BY_NAME] == list(incidents.BY_NAME)


def test_all_incidents_at_once_show_their_metrics(channel):
    with ExitStack() as stack:
        for name in [*IN_QUEUES, "unroutable flood"]:
            assert stack.enter_context(incidents.seed(name)).name == name
        metrics.wait_for_totals("index", ready=0, unacked=incidents.HELD, timeout_s=15)
        wait_until(
            lambda: (
                metrics.ready(channel, incidents.DLQ) > 2
                and metrics.ready(channel, "audit") > 20
                and metrics.ready(channel, "search") > 70
                and metrics.ready(channel, "export") > 50
            ),
            timeout_s=20,
            what="the queues to grow",
        )
        assert metrics.ready(channel, "notify") < 20
        assert metrics.ready(channel, "thumbnails") < 50

        def acked(queue: str) -> float:
            return values("channel_queue_metrics").get(f"{queue} acked_total", 0)

        def repeats() -> bool:
            seen = values("channel_queue_metrics")
            again = seen.get("thumbnails redelivered_total", 0)
            return again > 5 * seen.get("thumbnails acked_total", 1) > 0

        def drops() -> bool:
            seen = values("channel_exchange_metrics")
            return seen.get("events unroutable_dropped_total", 0) > 20

        def one_is_slower() -> bool:
            return 0 < 2 * acked("search") < acked("export")

        for shown in (repeats, drops, one_is_slower):
            wait_until(shown, timeout_s=60, what=shown.__name__, every_s=0.5)
        assert values("channel_queue_metrics").get("index acked_total", 0) == 0
        assert values("queue_consumer_count")["audit rabbitmq_detailed_queue_consumers"] == 0
    for queue in [i.queue for i in incidents.ALL if i.queue]:
        metrics.wait_for_consumers(queue, 0, timeout_s=10)
    before = metrics.ready(channel, "audit")
    channel.connection.sleep(0.3)
    assert metrics.ready(channel, "audit") == before, "its publisher has ended"


@needs_server
@pytest.mark.slow
def test_an_alarm_blocks_and_is_cleared():
    def alarms(node: broker.DisposableNode) -> int:
        try:
            node.api("GET", "health/checks/alarms")
        except broker.ManagementApiError as error:
            return error.status
        return 200

    with broker.disposable() as node:
        with incidents.seed("publisher blocked", node=node):
            assert alarms(node) == 503
            with node.connect() as connection:
                channel = connection.channel()
                wait_until(
                    lambda: (
                        (a := metrics.ready(channel, "events"))
                        and (connection.sleep(0.3), metrics.ready(channel, "events"))[1] == a
                    ),
                    timeout_s=10,
                    what="the publisher to be blocked",
                )
        wait_until(lambda: alarms(node) == 200, timeout_s=10, what="the end of the alarm")
        with node.connect() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish("", "events", b"goes through")


def test_unknown_incident_is_an_error():
    with pytest.raises(UsageError, match="slow consumer"), incidents.seed("asteroid"):
        pass


def test_the_alarm_needs_a_node():
    with pytest.raises(UsageError, match="needs node="), incidents.seed("publisher blocked"):
        pass
