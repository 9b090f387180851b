"""What the profiles of the Compose stack have to do, one function each."""

import requests

from helpers.waits import wait_until
from tests.containers.stack import Stack
from tests.containers.steps import NOTEBOOK_TIMEOUT_S, bring_up, expect, inside_run


def postgres(stack: Stack) -> str:
    """PostgreSQL beside it: the notebook in the container finds it."""
    bring_up(stack, "postgres", "postgres")
    output = inside_run(stack, "q05", timeout_s=NOTEBOOK_TIMEOUT_S)
    expect("skipped" not in output, f"q05 skips PostgreSQL although it is up: {output[-500:]}")
    return "q05 uses it from inside"


def monitoring(stack: Stack) -> str:
    """Prometheus beside it: it scrapes the broker, and has our alert rules."""
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
