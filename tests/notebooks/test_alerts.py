"""The alert rules pass their unit tests, and each changed rule fails one of them."""

import shutil
from pathlib import Path

import pytest

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.services import prometheus

RULES, TESTS = "monitoring/alerts.yml", "monitoring/alerts_test.yml"
pytestmark = pytest.mark.skipif(prometheus.missing() is not None, reason=str(prometheus.missing()))

DLQ = '"(.*[._-])?(dlq|dead|dead-letter)"'
ACKED = "(\n            rate(rabbitmq_detailed_channel_messages_acked"
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
    "a few repeats are a loop": ("ratio5m > 0.1", "ratio5m > 0.05"),
    "only a fast loop counts": ("ratio5m > 0.1", "ratio5m > 0.95"),
    "consumers are ignored": ("_consumers) == 0", "_consumers) >= 0"),
    "dead letters wait for consumers": (f"{{queue!~{DLQ}}}", ""),
    "deadlines are dead letters": (f"queue=~{DLQ}", 'queue=~".*(dlq|dead).*"'),
    "returned for dropped": ("unroutable_dropped", "unroutable_returned"),
    "no disk alarm": ("(memory_used|free_disk_space)", "(memory_used)"),
    "no memory alarm": ("(memory_used|free_disk_space)", "(free_disk_space)"),
    "no data is healthy": ("absent_over_time(rabbitmq_build_info[5m])", "vector(0) > 1"),
    "a sum for each node": (
        f"sum by (vhost, queue) {ACKED}",
        f"sum by (instance, vhost, queue) {ACKED}",
    ),
}


def test_the_rules_pass_their_unit_tests():
    assert "10 rules" in prometheus.check_rules(RULES)
    assert "SUCCESS" in prometheus.test_rules(TESTS)


def test_every_rule_has_a_severity_and_a_place_to_look_at():
    text = (ROOT / RULES).read_text()
    alerts = text.count("- alert:")
    assert text.count("severity: page") + text.count("severity: ticket") == alerts
    assert text.count("summary:") == text.count("look_at:") == alerts == 8


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_changed_rule_fails_a_unit_test(what, tmp_path: Path):
    old, new = MUTATIONS[what]
    text = (ROOT / RULES).read_text()
    assert old in text
    (tmp_path / "alerts.yml").write_text(text.replace(old, new, 1))
    shutil.copy(ROOT / TESTS, tmp_path)
    prometheus.check_rules(tmp_path / "alerts.yml")
    with pytest.raises(UsageError, match=r"^`promtool test rules .*` failed:"):
        prometheus.test_rules(tmp_path / "alerts_test.yml")
