"""Display text-heavy DataFrames without truncation."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CELL = ' style="text-align: left; white-space: normal"'


def of_words(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a frame whose cells Jupyter shows in full, left-aligned and wrapped.

    pandas cuts text after 50 characters and JupyterLab aligns it as it does numbers.

    Args:
        frame: any DataFrame; it is not changed.

    Returns:
        The same columns, dtypes and index; a selection from it is displayed in the same way.
    """
    import pandas as pd

    class WordFrame(pd.DataFrame):
        @property
        def _constructor(self) -> Any:
            return WordFrame

        def __repr__(self) -> str:
            with pd.option_context("display.max_colwidth", None):
                return str(super().__repr__())

        def _repr_html_(self) -> str:
            with pd.option_context("display.max_colwidth", None):
                html = str(super()._repr_html_())
            return html.replace("<td>", f"<td{CELL}>").replace("<th>", f"<th{CELL}>")

    return WordFrame(frame)
