"""Check the DataFrame of a figure."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from helpers.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def check(frame: "pd.DataFrame", columns: Collection[str]) -> None:
    """Refuse a frame that cannot be drawn.

    Args:
        frame: data of the figure.
        columns: required columns; the frame may have others, too.

    Raises:
        UsageError: a column is missing, or there are no rows.
    """
    missing = sorted(set(columns) - set(frame))
    if missing:
        raise UsageError(f"the frame lacks the columns {', '.join(missing)}")
    if frame.empty:
        raise UsageError("there is nothing to draw: the frame is empty")
