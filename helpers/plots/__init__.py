"""Every figure: DataFrame in, figure out. One function a figure, in a module per subject.

matplotlib is imported when the first figure is drawn, not before.
"""

from helpers.plots import style
from helpers.plots.dead_letter import hot_loop, outcomes, timeline
from helpers.plots.drawing import topology
from helpers.plots.idempotency import race, techniques
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

__all__ = [
    "copies",
    "done_while_waiting",
    "due_and_back",
    "failover",
    "herd",
    "hot_loop",
    "inversions",
    "ladder",
    "outcomes",
    "prefetch_clock",
    "prefetch_knee",
    "race",
    "ready_and_unacked",
    "resequencing",
    "style",
    "techniques",
    "throughput_by_prefetch",
    "timeline",
    "topic_matches",
    "topology",
    "uneven_workers",
]
