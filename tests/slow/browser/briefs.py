"""The labs' briefs in the browser: as they are handed out, and lab 3 with a solution that holds."""

from pathlib import Path

import nbformat

from labs.judge.instructor.proof import solutions
from labs.judge.model import folder_of, numbers

SOLVED = 3
BROKEN, HOLDS = "BROKEN", "All that this check looks for holds."


def runs(folder: Path) -> dict[Path, str]:
    """Return the briefs to be run, each with what its check has to say.

    Args:
        folder: where a brief with a solution is written.
    """
    found = {folder_of(number) / "brief.ipynb": BROKEN for number in numbers()}
    return {**found, solved(SOLVED, folder): HOLDS}


def solved(number: int, folder: Path) -> Path:
    """Write a brief in whose starter cell somebody has put a correct solution.

    Args:
        number: of the lab.
        folder: where it goes.
    """
    nb = nbformat.read(folder_of(number) / "brief.ipynb", as_version=4)
    solution = next(one for one in solutions(number) if one.kind == "correct")
    cell = next(cell for cell in nb.cells if cell.source.startswith("%%lab"))
    cell.source = f"%%lab\n{solution.path.read_text(encoding='utf-8')}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lab{number:02d}-solved.ipynb"
    nbformat.write(nb, path)
    return path
