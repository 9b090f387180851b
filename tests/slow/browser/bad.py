"""Small notebooks with something wrong, each with what the check has to say about it."""

from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
ELSEWHERE = "https://rabbit-lab.invalid/picture.png"
PRINT = "import sys\nprint('careful', file=sys.stderr)"
IMAGE = f"from IPython.display import HTML, display\ndisplay(HTML('<img src=\"{ELSEWHERE}\">'))"

# Name: source of the middle cell, figures expected, beginning of the complaint.
CASES: dict[str, tuple[str, int, str]] = {
    "fine": ("print('fine')", 1, ""),
    "error": ("1 / 0", 1, "an error output: ZeroDivisionError"),
    "stderr": (PRINT, 1, "an error, or text on stderr: careful"),
    "figure": ("plt.close('all')", 2, "1 figures, 2 are stored"),
    "request": (IMAGE, 1, f"a request that leaves the machine: {ELSEWHERE}"),
}


def write_all(folder: Path) -> dict[str, Path]:
    """Write the notebooks and return their files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (source, _, _) in CASES.items():
        files[name] = folder / f"{name}.ipynb"
        nbformat.write(_notebook(source), files[name])
    return files


def _notebook(source: str) -> NotebookNode:
    cells = [v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate([FIGURE, source, "1"])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
