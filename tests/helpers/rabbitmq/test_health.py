"""A broker that blocks publishers says why, wherever somebody asks; so do unreadable metrics."""

import dataclasses
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pika
import pytest

from helpers import broker
from helpers.errors import ServiceNotReadyError
from helpers.rabbitmq import health, server
from helpers.rabbitmq.watched import PublishersBlockedError
from helpers.services import prometheus
from helpers.suite import doctor
from tests.conftest import child_environment, run_python

needs_server = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
needs_prometheus = pytest.mark.skipif(
    prometheus.missing() is not None, reason=f"no Prometheus here: {prometheus.missing()}"
)
CTL_TIMEOUT_S = 120.0  # `rabbitmqctl` takes a second, and more than twenty on a loaded machine
LITTLE_MEMORY = ("set_vm_memory_high_watermark", "absolute", "1MB")
PORT_LIMIT = "erlang:system_info(port_limit)."
NOT_A_NUMBER = (
    "# TYPE rabbitmq_disk_space_available_bytes gauge\nrabbitmq_disk_space_available_bytes 'NaN'\n"
)


def publish(node: broker.DisposableNode) -> None:
    with node.connect(blocked_connection_timeout=0.5) as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        channel.confirm_delivery()
        channel.basic_publish("", "q", b"1")


def given(node: broker.DisposableNode, command: str):
    environment = child_environment(
        AMQP_URL=node.broker.amqp_url,
        MANAGEMENT_URL=node.broker.management_url,
        RABBIT_LAB_SERVICES="off",
    )
    return run_python("-m", "helpers", command, environment=environment)


@needs_server
@pytest.mark.slow
def test_too_little_disk_is_named_by_up_doctor_and_a_publish():
    with broker.disposable(config="disk_free_limit.absolute = 900000GB") as node:
        up = given(node, "up")
        assert up.returncode == 1
        assert "runs, but blocks publishers: " in up.stdout
        assert " of disk left, it needs 900,000.0 GB (AMQP_URL)" in up.stdout
        assert "is up" not in up.stdout
        assert "LOOK  RabbitMQ" in given(node, "doctor").stdout
        with pytest.raises(
            PublishersBlockedError, match=r"blocks publishers: .* of disk left"
        ) as it:
            publish(node)
        assert isinstance(it.value, pika.exceptions.ConnectionBlockedTimeout)
        node.ctl("set_disk_free_limit", "1MB", timeout_s=CTL_TIMEOUT_S)
        publish(node)
        assert health.why_blocked(node.broker) == ""


@needs_server
@pytest.mark.slow
def test_too_little_memory_is_named_with_a_limit_of_descriptors_that_explains_it(monkeypatch):
    with broker.disposable() as node:
        assert health.why_blocked(node.broker) == ""
        # Its own table of ports is small whatever the limit is.
        assert node.ctl("eval", PORT_LIMIT, timeout_s=CTL_TIMEOUT_S).strip() == "65536"
        node.ctl(*LITTLE_MEMORY, timeout_s=CTL_TIMEOUT_S)
        reason = health.why_blocked(node.broker)
        assert "of memory used, it may use 1 MB" in reason
        assert "ulimits" not in reason
        monkeypatch.setattr(health, "MANY_DESCRIPTORS", 10)
        assert "`ulimits: nofile: 65536`" in health.why_blocked(node.broker)
        found = doctor._describe(node.broker)
        assert not found.fine
        assert "docker-library/rabbitmq issue 545" in found.text


def test_a_broker_that_does_not_answer_is_not_called_blocked():
    gone = broker.Broker("amqp://127.0.0.1:1/", "http://127.0.0.1:1", None, "", "", "")
    assert health.why_blocked(gone) == ""
    assert health.why_unreadable("http://127.0.0.1:1/metrics") == ""


@contextmanager
def metrics_page(text: str) -> Iterator[str]:
    """Serve a page of metrics as a broker with such a disk does."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{page.server_port}"
        page.shutdown()


@pytest.mark.parametrize("value", ["'NaN'", "unknown"])
def test_doctor_names_metrics_that_prometheus_refuses(shared_broker, value):
    with metrics_page(NOT_A_NUMBER.replace("'NaN'", value)) as url:
        reason = health.why_unreadable(f"{url}/metrics")
        assert f"its /metrics says {value.strip(chr(39))} for the free disk space" in reason
        found = doctor._prometheus(dataclasses.replace(shared_broker, prometheus_url=url))
        assert str(found) == f"LOOK  {reason}"


def test_a_number_is_no_trouble():
    for text in (NOT_A_NUMBER.replace("'NaN'", "7.5e10"), NOT_A_NUMBER.replace("'NaN'", "NaN"), ""):
        with metrics_page(text) as url:
            assert health.why_unreadable(f"{url}/metrics") == ""


@needs_prometheus
def test_a_private_prometheus_says_why_it_cannot_read_a_broker():
    expected = "its /metrics says NaN for the free disk space"
    with (
        metrics_page(NOT_A_NUMBER) as url,
        pytest.raises(ServiceNotReadyError, match=expected),
        prometheus.server(scrape=[f"{url}/metrics"]),
    ):
        pass
