"""A private Prometheus: scrapes, alerts, and removal without remains."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from helpers.errors import ServiceMissingError, ServiceNotReadyError, UsageError, WaitTimeoutError
from helpers.machine.paths import ROOT, home
from helpers.services import prometheus
from helpers.services.private import PrivateService
from helpers.services.prometheus_api import Api
from tests.conftest import is_gone

RULES = """
groups:
  - name: depth
    rules:
      - alert: Deep
        expr: test_depth > 5
        labels: { severity: page }
      - alert: VeryDeep
        expr: test_depth > 1000
"""
TESTS = """
rule_files: [rules.yml]
evaluation_interval: 1s
tests:
  - interval: 1s
    input_series: [{ series: test_depth, values: "0 9" }]
    alert_rule_test:
      - eval_time: 1s
        alertname: Deep
        exp_alerts: [{ exp_labels: { severity: SEVERITY } }]
"""
needs_prometheus = pytest.mark.skipif(
    prometheus.missing() is not None, reason=str(prometheus.missing())
)


class Depth(BaseHTTPRequestHandler):
    """Serves one gauge, whose value the tests set."""

    value = 0.0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")  # Prometheus 3 requires it
        self.end_headers()
        self.wfile.write(f"test_depth{{queue='a'}} {self.value}\n".replace("'", '"').encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def gauge():
    with HTTPServer(("127.0.0.1", 0), Depth) as http:
        threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(RULES)
    return path


@pytest.fixture(scope="module")
def watch(gauge, rules, shared_broker):
    scrape = [f"{gauge}/metrics", f"{shared_broker.prometheus_url}/metrics/per-object"]
    with prometheus.server(scrape=scrape, rules=rules, every_s=0.5) as server:
        pid, folder = server.pid, server._config.parent
        yield server
    assert is_gone(pid)
    assert not folder.exists()


@needs_prometheus
def test_series_are_frames(watch):
    up = watch.query("up")
    assert list(up.columns) == ["metric", "instance", "job", "value"]
    assert dict(zip(up["job"], up["value"], strict=True)) == {"metrics": 1.0, "per-object": 1.0}
    assert set(up["instance"]) == {"rabbitmq"}
    assert watch.query("no_such_series").empty
    assert watch.query("6 * 7")["value"].tolist() == [42.0]
    assert not watch.query("rabbitmq_identity_info").empty
    history = watch.query_range("test_depth", last_s=2, step_s=1)
    assert list(history.columns) == ["metric", "instance", "job", "queue", "t_s", "value"]
    assert history["t_s"].between(0, 2).all()
    assert watch.targets()["health"].tolist() == ["up", "up"]


@needs_prometheus
def test_an_alert_fires_and_ends(watch):
    assert watch.alerts().empty
    assert set(watch.rules()["rule"]) == {"Deep", "VeryDeep"}
    Depth.value = 10.0
    try:
        assert watch.wait_for_alert("Deep", timeout_s=10, queue="a") >= 0
        (alert,) = watch.alerts().to_dict("records")
        assert alert["alert"] == "Deep"
        assert (alert["state"], alert["severity"], alert["value"]) == ("firing", "page", 10.0)
        with pytest.raises(WaitTimeoutError, match=r"VeryDeep was not firing .*: Deep firing"):
            watch.wait_for_alert("VeryDeep", timeout_s=0)
        with pytest.raises(WaitTimeoutError):
            watch.wait_for_alert("Deep", timeout_s=0, queue="b")
    finally:
        Depth.value = 0.0
    watch.wait_for_alert("Deep", state="inactive", timeout_s=10)


@needs_prometheus
def test_rules_can_be_changed(watch, rules, tmp_path):
    other = tmp_path / "other.yml"
    other.write_text(RULES.replace("> 5", "< 5"))
    watch.reload(other)
    watch.wait_for_alert("Deep", timeout_s=10)
    watch.reload(None)
    assert watch.rules().empty
    watch.reload(rules)
    assert len(watch.rules()) == 2


@needs_prometheus
def test_wrong_questions_are_one_sentence(watch):
    with pytest.raises(UsageError, match=r"Prometheus refuses the query: .*parse error"):
        watch.query("sum(")
    with pytest.raises(UsageError, match="use query_range"):
        watch.query("up[5m]")
    with pytest.raises(UsageError, match="step_s"):
        watch.query_range("up", last_s=1, step_s=2)
    with pytest.raises(UsageError, match="no rule is called 'Shallow'; there are: Deep, VeryDeep"):
        watch.wait_for_alert("Shallow", timeout_s=1)
    with pytest.raises(UsageError, match="state must be one of firing"):
        watch.wait_for_alert("Deep", timeout_s=1, state="loud")
    with pytest.raises(ServiceNotReadyError, match="refuses /-/nothing"):
        watch.post("/-/nothing")


@needs_prometheus
def test_promtool_checks_and_tests_rules(rules, tmp_path):
    assert "SUCCESS: 2 rules found" in prometheus.check_rules(rules)
    tests = rules.with_name("tests.yml")
    tests.write_text(TESTS.replace("SEVERITY", "page"))
    assert "SUCCESS" in prometheus.test_rules(tests)
    tests.write_text(TESTS.replace("SEVERITY", "none"))
    with pytest.raises(UsageError, match=r"(?s)failed:.*severity=\"none\""):
        prometheus.test_rules(tests)
    broken = tmp_path / "broken.yml"
    broken.write_text(RULES.replace("> 5", "> "))
    with pytest.raises(UsageError, match=r"(?s)failed:.*parse error"):
        prometheus.check_rules(broken)
    with (
        pytest.raises(UsageError, match="parse error"),
        prometheus.server(scrape=["http://127.0.0.1:1/metrics"], rules=broken),
    ):
        pass
    with pytest.raises(UsageError, match="there is no file"):
        prometheus.check_rules(tmp_path / "none.yml")


@needs_prometheus
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scrape": []}, "at least one URL"),
        ({"scrape": "http://127.0.0.1/metrics"}, "must be a list"),
        ({"scrape": ["127.0.0.1:15692"]}, "is not a URL to scrape"),
        ({"scrape": ["http://127.0.0.1/metrics"], "every_s": 0}, "every_s must be"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, words):
    with pytest.raises(UsageError, match=words), prometheus.server(**arguments):
        pass


@needs_prometheus
def test_what_docker_compose_gives_it_is_valid():
    done = prometheus._run("promtool", "check", "config", str(ROOT / "monitoring/prometheus.yml"))
    assert done.returncode == 0, done.stderr


@needs_prometheus
def test_version():
    assert prometheus.version().count(".") == 2


def test_the_same_path_twice_gives_two_jobs():
    urls = ["http://a/metrics", "http://b/metrics?x=1&x=2"]
    text = prometheus._configuration(urls, None, 1.0)
    assert '"job_name": "metrics"' in text
    assert '"job_name": "metrics-2"' in text
    assert '"params": {"x": ["1", "2"]}' in text


def test_what_a_killed_process_leaves_behind_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    left = PrivateService(home() / "prometheus-1-1", what="Prometheus")
    data = left.lay_out()
    mark = str(data)
    left.start(
        ["/bin/sh", "-c", "sleep 60; :", mark], mark=mark, is_ready=lambda: True, timeout_s=10
    )
    pid = left.pid
    left.folder.with_suffix(".lock").touch()
    assert prometheus.sweep() == [left.folder]
    assert is_gone(pid)
    assert list(home().iterdir()) == []


def test_a_service_that_does_not_start_says_why(tmp_path):
    service = PrivateService(tmp_path / "x", what="Prometheus")
    mark = str(service.lay_out())
    command = ["/bin/sh", "-c", "echo 'port is taken'; exit 1", mark]
    with pytest.raises(ServiceNotReadyError, match=r"(?s)it ended at once.*\| port is taken"):
        service.start(command, mark=mark, is_ready=lambda: False, timeout_s=10)
    waits = ["/bin/sh", "-c", "echo 'loading'; sleep 60; :", mark]
    with pytest.raises(ServiceNotReadyError, match=r"(?s)not ready within 0\.2 s"):
        service.start(waits, mark=mark, is_ready=lambda: False, timeout_s=0.2)
    assert not service.is_running
    service.start(waits, mark=mark, is_ready=lambda: True, timeout_s=10)
    assert service.remove()
    assert not service.folder.exists()


def test_no_answer_is_one_sentence(gauge):
    nobody = Api("http://127.0.0.1:1")
    assert not nobody.is_ready()
    with pytest.raises(ServiceNotReadyError, match="no answer from Prometheus"):
        nobody.query("up")
    with pytest.raises(ServiceNotReadyError, match="does not answer as Prometheus"):
        Api(gauge).query("up")


def test_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(prometheus, "find_program", lambda *_: None)
    monkeypatch.setattr(prometheus.apt, "has_apt", lambda: True)
    assert "`sudo apt-get install prometheus`" in prometheus.missing()
    monkeypatch.setattr(prometheus.apt, "has_apt", lambda: False)
    assert "brew install prometheus" in prometheus.missing()
    with pytest.raises(ServiceMissingError), prometheus.server(scrape=["http://a/metrics"]):
        pass


def test_services_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert prometheus.missing() == "Prometheus is not used: RABBIT_LAB_SERVICES is off."
    with pytest.raises(ServiceMissingError, match="RABBIT_LAB_SERVICES is off"):
        prometheus.version()
