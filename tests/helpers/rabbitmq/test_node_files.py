"""The list of plug-ins, which containers need as files."""

from helpers.machine.paths import ROOT
from helpers.rabbitmq.node_files import PLUGINS


def enabled(path: str) -> list[str]:
    """Return the plug-ins of a file ``enabled_plugins``, an Erlang list."""
    return (ROOT / path).read_text(encoding="utf-8").strip().strip("[].").split(",")


def test_containers_have_the_plugins_of_a_private_node():
    assert enabled("docker/enabled_plugins") == list(PLUGINS)


def test_the_broker_of_a_class_has_all_but_metrics():
    # Learners have a vhost each, and the metrics show the queues of all vhosts.
    without = [name for name in PLUGINS if name != "rabbitmq_prometheus"]
    assert enabled("docker/classroom/enabled_plugins") == without
