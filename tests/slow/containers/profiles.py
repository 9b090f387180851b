"""Scenarios for the profiles of the Compose stack; a failure raises StackError."""

import requests

from helpers.waits import wait_until
from tests.slow.containers.stack import Stack
from tests.slow.containers.steps import NOTEBOOK_TIMEOUT_S, bring_up, expect, inside_run, on_host

CLUSTER = ("rabbitmq-1", "rabbitmq-2", "rabbitmq-3")


def postgres(stack: Stack) -> str:
    """The notebook in the container finds PostgreSQL."""
    bring_up(stack, "postgres", "postgres")
    output = inside_run(stack, "q05", timeout_s=NOTEBOOK_TIMEOUT_S)
    expect("skipped" not in output, f"q05 skips PostgreSQL although it is up: {output[-500:]}")
    return "q05 uses it from inside"


def monitoring(stack: Stack) -> str:
    """Prometheus scrapes the broker and has the alert rules of this project."""
    bring_up(stack, "monitoring", "prometheus")
    base = f"http://127.0.0.1:{stack.port['PROMETHEUS_PORT']}/api/v1"

    def scraped() -> bool:
        targets = requests.get(f"{base}/targets", timeout=10).json()["data"]["activeTargets"]
        return bool(targets) and all(target["health"] == "up" for target in targets)

    wait_until(scraped, timeout_s=60, what="Prometheus to scrape the broker")
    groups = requests.get(f"{base}/rules", timeout=10).json()["data"]["groups"]
    rules = sum(len(group["rules"]) for group in groups)
    expect(rules > 0, "Prometheus has no alert rules")
    return f"it scrapes the broker, and has {rules} alert rules"


def kafka(stack: Stack) -> str:
    """The notebook finds Kafka, in the container and on the host."""
    bring_up(stack, "kafka", "kafka")
    outputs = [
        inside_run(stack, "q08", timeout_s=NOTEBOOK_TIMEOUT_S),
        on_host(stack, "notebooks", "--check", "q08", timeout_s=NOTEBOOK_TIMEOUT_S).stdout,
    ]
    for output in outputs:
        expect("q08.7" not in output, f"q08.7 is skipped although Kafka is up: {output[-500:]}")
    stack.compose("rm", "--stop", "--force", "kafka")
    return "q08.7 uses it from inside and from the host"


def cluster(stack: Stack) -> str:
    """Notebooks on the host kill one of the three nodes and isolate one."""
    bring_up(stack, "cluster", *CLUSTER)
    command = ("exec", "-T", CLUSTER[0], "rabbitmqctl", "--quiet", "cluster_status")
    status = stack.compose(*command).stdout
    there = [name for name in CLUSTER if f"rabbit@{name}" in status]
    expect(len(there) == len(CLUSTER), f"the cluster has {len(there)} nodes: {status[-1000:]}")
    done = on_host(stack, "notebooks", "--check", "q04", "q08", timeout_s=2 * NOTEBOOK_TIMEOUT_S)
    skipped = [claim for claim in ("q04.9", "q04.10", "q08.6") if claim in done.stdout]
    expect(not skipped, f"a cluster is up, and {', '.join(skipped)} skipped: {done.stdout[-500:]}")
    stack.compose("rm", "--stop", "--force", *CLUSTER)
    return "q04 and q08 kill and cut off nodes of it, from the host"
