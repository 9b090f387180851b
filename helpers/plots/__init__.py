"""Draw every figure from a DataFrame, with one function per figure and one module per topic.

A new figure is a function in its module and a name in the imports below. matplotlib is imported
when the first figure is drawn, not before.
"""

# ruff: noqa: F401  (each import is a name of this package)

from helpers.plots import style
from helpers.plots.architecture import calls_and_events, outage, seen_events, two_writes
from helpers.plots.dead_letter import hot_loop, outcomes, timeline
from helpers.plots.drawing import topology
from helpers.plots.guarantees import losses, publish_rates, service, survivors
from helpers.plots.idempotency import race, techniques
from helpers.plots.monitoring import alerts, behind, depth_and_wait, old_numbers, one_incident
from helpers.plots.ordering import failover, inversions, resequencing
from helpers.plots.prefetch import (
    prefetch_clock,
    prefetch_knee,
    ready_and_unacked,
    throughput_by_prefetch,
    uneven_workers,
)
from helpers.plots.retries import done_while_waiting, due_and_back, herd, ladder
from helpers.plots.routing import copies, topic_matches
from helpers.plots.workers import (
    drain_by_workers,
    heartbeat_lanes,
    inline_and_queued,
    outage_answers,
)
