"""Every figure: DataFrame in, figure out. One function a figure, in a module per subject.

matplotlib is imported when the first figure is drawn, not before.
"""

from helpers.plots import style
from helpers.plots.dead_letter import hot_loop, outcomes, timeline
from helpers.plots.drawing import topology
from helpers.plots.prefetch import (
    prefetch_clock,
    prefetch_knee,
    ready_and_unacked,
    throughput_by_prefetch,
    uneven_workers,
)
from helpers.plots.routing import copies, topic_matches

__all__ = [
    "copies",
    "hot_loop",
    "outcomes",
    "prefetch_clock",
    "prefetch_knee",
    "ready_and_unacked",
    "style",
    "throughput_by_prefetch",
    "timeline",
    "topic_matches",
    "topology",
    "uneven_workers",
]
