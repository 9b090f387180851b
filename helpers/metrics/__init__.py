"""Numbers about queues and consumers, read once, sampled, or scraped."""

from helpers.metrics.queue_metrics import (
    queues,
    ready,
    settled,
    wait_for_consumers,
    wait_for_ready,
    wait_for_totals,
)
from helpers.metrics.sampling import Sampler, sample
from helpers.metrics.scraping import prometheus

__all__ = [
    "Sampler",
    "prometheus",
    "queues",
    "ready",
    "sample",
    "settled",
    "wait_for_consumers",
    "wait_for_ready",
    "wait_for_totals",
]
