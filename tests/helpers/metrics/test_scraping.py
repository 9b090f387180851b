"""The Prometheus endpoint of a real broker as a DataFrame."""

import dataclasses
import time

import pytest

from helpers import broker, metrics
from helpers.errors import BrokerNotReadyError, BrokerRefusedError, UsageError
from tests.helpers.metrics.queues import declare, publish


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_prometheus_reads_a_queue(channel, queue_type):
    declare(channel, "q", queue_type)
    publish(channel, "q", 5)
    metrics.wait_for_ready(channel, "q", 5, timeout_s=5)
    deadline = time.monotonic() + 20
    while True:
        frame = metrics.prometheus("queue_coarse_metrics", "queue_consumer_count")
        found = frame[frame["metric"] == "rabbitmq_detailed_queue_messages_ready"]
        if found["value"].tolist() == [5.0] or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert found[["queue", "vhost", "value"]].to_numpy().tolist() == [["q", broker.vhost(), 5.0]]
    assert list(frame.columns[:4]) == ["metric", "queue", "vhost", "value"]
    assert set(frame["vhost"]) == {broker.vhost()}


def test_prometheus_without_statistics_has_no_rows(channel):
    frame = metrics.prometheus("queue_coarse_metrics")
    assert list(frame.columns) == ["metric", "queue", "vhost", "value"]
    assert len(frame) == 0
    assert len(metrics.prometheus("queue_that_nobody_has")) == 0


def test_prometheus_shows_no_other_vhost(channel):
    frame = metrics.prometheus("vhost_status")
    assert set(frame["vhost"]) == {broker.vhost()}


def test_prometheus_totals_of_the_node(channel):
    frame = metrics.prometheus().set_index("metric")
    assert frame.loc["rabbitmq_connections", "value"] >= 1
    assert "rabbitmq_alarms_memory_used_watermark" in frame.index


def test_prometheus_refuses_an_invalid_family(channel):
    with pytest.raises(UsageError, match="not a family"):
        metrics.prometheus("queue_coarse_metrics&family=x")


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        (None, BrokerRefusedError, "no Prometheus endpoint"),
        (lambda: broker.find().management_page, BrokerNotReadyError, "404"),
        (
            "http://127.0.0.1:1",
            BrokerNotReadyError,
            r"no Prometheus metrics from http://127.0.0.1:1",
        ),
    ],
)
def test_prometheus_without_an_endpoint_is_an_error(monkeypatch, url, error, says):
    url = url() if callable(url) else url
    elsewhere = dataclasses.replace(broker.find(), prometheus_url=url)
    monkeypatch.setattr(broker, "find", lambda: elsewhere)
    with pytest.raises(error, match=says):
        metrics.prometheus("queue_coarse_metrics")
