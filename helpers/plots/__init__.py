"""Every figure: DataFrame in, figure out. One function a figure, in a module per subject.

matplotlib is imported when the first figure is drawn, not before.
"""

from helpers.plots import style

__all__ = ["style"]
