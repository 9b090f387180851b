"""What every figure asks of the DataFrame that it is given."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from helpers.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def check(frame: "pd.DataFrame", columns: Collection[str]) -> None:
    """Refuse a frame that cannot be drawn.

    Args:
        frame: what is to be drawn.
        columns: the columns that it must have; it may have more.

    Raises:
        UsageError: a column is missing, or there are no rows.
    """
    missing = sorted(set(columns) - set(frame))
    if missing:
        raise UsageError(f"the frame lacks the columns {', '.join(missing)}")
    if frame.empty:
        raise UsageError("there is nothing to draw: the frame is empty")
