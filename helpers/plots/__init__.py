"""Every figure: DataFrame in, figure out. One function a figure, in a module per subject.

matplotlib is imported when the first figure is drawn, not before.
"""

from helpers.plots import style
from helpers.plots.dead_letter import hot_loop, outcomes, timeline

__all__ = ["hot_loop", "outcomes", "style", "timeline"]
