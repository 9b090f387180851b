"""What may be absent beside the broker: PostgreSQL, Prometheus, Kafka, a node of ours, a cluster.

Each module says with ``missing()`` in one sentence what is missing and how to get it, or None.
Nothing is installed by using them; ``make test`` does that, as root on Debian or Ubuntu.
``RABBIT_LAB_SERVICES=off`` makes all but the RabbitMQ server count as missing.
"""

import importlib
from collections.abc import Iterable

# The tag of a cell that needs a service, and the module of that service in this package.
NEEDS = {
    "needs-cluster": "cluster",
    "needs-kafka": "kafka",
    "needs-node": "node",
    "needs-postgresql": "postgresql",
    "needs-prometheus": "prometheus",
}


def missing(tags: Iterable[str]) -> str | None:
    """Return what a cell with these tags lacks, in one sentence, or None.

    Args:
        tags: the cell's tags; those that need no service are passed over.
    """
    for tag in tags:
        if tag in NEEDS:
            service = importlib.import_module(f"helpers.services.{NEEDS[tag]}")
            sentence: str | None = service.missing()
            if sentence:
                return sentence
    return None
