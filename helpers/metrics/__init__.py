"""Numbers about queues and consumers, read once, sampled, or scraped."""

from helpers.metrics.queue_metrics import (
    consumers,
    counters,
    queues,
    ready,
    wait_for_consumers,
    wait_for_ready,
    wait_for_totals,
)
from helpers.metrics.sampling import Sampler, rates, sample
from helpers.metrics.scraping import prometheus

__all__ = [
    "Sampler",
    "consumers",
    "counters",
    "prometheus",
    "queues",
    "rates",
    "ready",
    "sample",
    "wait_for_consumers",
    "wait_for_ready",
    "wait_for_totals",
]
