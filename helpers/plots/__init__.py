"""Every figure: DataFrame in, figure out. One function a figure, in a module per subject.

matplotlib is imported when the first figure is drawn, not before.
"""

from helpers.plots import style
from helpers.plots.architecture import calls_and_events, outage, seen_events, two_writes
from helpers.plots.dead_letter import hot_loop, outcomes, timeline
from helpers.plots.drawing import topology
from helpers.plots.guarantees import guarantee_rates, losses, service, survivors
from helpers.plots.idempotency import race, techniques
from helpers.plots.monitoring import alerts, behind, depth_and_drain, old_numbers
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

__all__ = [
    "alerts",
    "behind",
    "calls_and_events",
    "copies",
    "depth_and_drain",
    "done_while_waiting",
    "drain_by_workers",
    "due_and_back",
    "failover",
    "guarantee_rates",
    "heartbeat_lanes",
    "herd",
    "hot_loop",
    "inline_and_queued",
    "inversions",
    "ladder",
    "losses",
    "old_numbers",
    "outage",
    "outage_answers",
    "outcomes",
    "prefetch_clock",
    "prefetch_knee",
    "race",
    "ready_and_unacked",
    "resequencing",
    "seen_events",
    "service",
    "style",
    "survivors",
    "techniques",
    "throughput_by_prefetch",
    "timeline",
    "topic_matches",
    "topology",
    "two_writes",
    "uneven_workers",
]
