"""Write the README's figure from a notebook's stored output."""

import base64
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT
from helpers.suite.notebooks.running import read

NOTEBOOK, CELL = "q09_prefetch.ipynb", "sweep-figure"
FILE = Path("docs") / "q09-throughput.png"


def stored_figure(root: Path = ROOT) -> bytes:
    """Return the figure as the notebook has it.

    Args:
        root: the checkout, whose notebook is read.

    Returns:
        A PNG.

    Raises:
        UsageError: the notebook has no such cell, or the cell no figure.
    """
    nb = read(root / "notebooks" / NOTEBOOK)
    for cell in nb.cells:
        if cell.id == CELL:
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output["data"]["image/png"])
    raise UsageError(f"{NOTEBOOK} has no figure in a cell {CELL!r}: the README shows that one")


def write_readme_figure(root: Path = ROOT) -> bool:
    """Store the figure as the file that the README shows.

    Args:
        root: the checkout.

    Returns:
        True when the file changed; False too when the notebook does not exist.
    """
    if not (root / "notebooks" / NOTEBOOK).exists():
        return False
    file, new = root / FILE, stored_figure(root)
    if file.exists() and file.read_bytes() == new:
        return False
    file.parent.mkdir(exist_ok=True)
    files.write(file, new)
    return True
