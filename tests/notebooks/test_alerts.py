"""The alert rules pass their unit tests, and each changed rule fails one of them."""

import subprocess
from pathlib import Path

import pytest

from helpers.machine.paths import ROOT
from helpers.services import prometheus
from tests.conftest import CHILD_TIMEOUT_S

RULES, TESTS = "monitoring/alerts.yml", "monitoring/alerts_test.yml"
pytestmark = pytest.mark.skipif(prometheus.missing() is not None, reason=str(prometheus.missing()))

DLQ = '"(.*[._-])?(dlq|dead|dead-letter)"'
ACKED = "(\n            rate(rabbitmq_detailed_channel_messages_acked"
READY = "(rabbitmq_detailed_queue_messages_ready)"
MUTATIONS = {
    "a lower threshold": ("> 600", "> 500"),
    "a higher threshold": ("> 600", "> 700"),
    "a queue without acks is slow": (
        "(queue:rabbitmq_settled:rate5m > 0)\n          >",
        "queue:rabbitmq_settled:rate5m\n          >",
    ),
    "automatic acks do not count": (
        "+ rate(rabbitmq_detailed_channel_messages_delivered_total[5m])\n          )\n\n",
        "\n          )\n\n",
    ),
    "a working queue is stuck": ("unless (queue:rabbitmq_settled:rate5m > 0)", ""),
    "few unacked are ignored": ("messages_unacked) > 0", "messages_unacked) > 30"),
    "stuck at once": ("for: 10m", "for: 1m"),
    "a consumer that holds messages gets none": (
        "          unless sum by (vhost, queue) (rabbitmq_detailed_queue_messages_unacked) > 0\n",
        "",
    ),
    "a consumer with automatic acks gets none": (
        "unless (queue:rabbitmq_settled:rate5m > 0)\n          unless",
        "unless",
    ),
    "a queue without consumers delivers none": ("_consumers) > 0", "_consumers) >= 0"),
    "an empty queue delivers none": (f"{READY} > 0\n          and", f"{READY} >= 0\n          and"),
    "none delivered, at once": ("unacked) > 0\n        for: 10m", "unacked) > 0\n        for: 1m"),
    "a few repeats are a loop": ("ratio5m > 0.1", "ratio5m > 0.05"),
    "only a fast loop counts": ("ratio5m > 0.1", "ratio5m > 0.95"),
    "consumers are ignored": ("_consumers) == 0", "_consumers) >= 0"),
    "dead letters wait for consumers": (f"{{queue!~{DLQ}}}", ""),
    "deadlines are dead letters": (f"queue=~{DLQ}", 'queue=~".*(dlq|dead).*"'),
    "returned for dropped": ("unroutable_dropped", "unroutable_returned"),
    "a burst is forgiven": (
        "dropped_total[5m])) > 0\n",
        "dropped_total[5m])) > 0\n        for: 5m\n",
    ),
    "no disk alarm": ("(memory_used|free_disk_space)", "(memory_used)"),
    "no memory alarm": ("(memory_used|free_disk_space)", "(free_disk_space)"),
    "no data is healthy": ("absent_over_time(rabbitmq_build_info[5m])", "vector(0) > 1"),
    "a sum for each node": (
        f"sum by (vhost, queue) {ACKED}",
        f"sum by (instance, vhost, queue) {ACKED}",
    ),
}


def test_the_rules_pass_their_unit_tests():
    assert "11 rules" in prometheus.check_rules(RULES)
    assert "SUCCESS" in prometheus.test_rules(TESTS)


def test_every_rule_has_a_severity_and_a_place_to_look_at():
    text = (ROOT / RULES).read_text()
    alerts = text.count("- alert:")
    assert text.count("severity: page") + text.count("severity: ticket") == alerts
    assert text.count("summary:") == text.count("look_at:") == alerts == 9


@pytest.mark.slow
@pytest.mark.parametrize("what", MUTATIONS)
def test_a_changed_rule_fails_a_unit_test(what: str, tmp_path: Path):
    """Each change has a promtool of its own: all in one took minutes on a loaded machine."""
    text, (old, new) = (ROOT / RULES).read_text(), MUTATIONS[what]
    assert old in text
    (tmp_path / "alerts.yml").write_text(text.replace(old, new, 1))
    (tmp_path / "alerts_test.yml").write_text((ROOT / TESTS).read_text())
    checked = promtool("check", "rules", tmp_path / "alerts.yml")
    assert checked.returncode == 0, checked.stdout
    tested = promtool("test", "rules", tmp_path / "alerts_test.yml")
    assert tested.returncode != 0 and "FAILED" in tested.stdout, tested.stdout


def promtool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *command],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=CHILD_TIMEOUT_S,
    )  # fmt: skip
