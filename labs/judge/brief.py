"""A brief: the sentences that all have, and functions for its cells: write the file, check it."""

import re
import subprocess
import sys
import warnings

from helpers.errors import UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT, shown
from labs.judge import progress
from labs.judge.model import load
from labs.judge.sandbox.limits import Limits
from labs.judge.watch import PATIENCE_S

# Every brief says this under "What must hold". A sentence on processes that die or return follows
# the first one; the second one is for labs whose functions are called. {file}: the learner's file.
PATIENT = (
    f"The check is patient: your code may take up to {PATIENCE_S:g} seconds to start, to handle a"
    f" message or to reconnect, and the whole check {Limits.seconds / 60:g} minutes."
)
PATIENT_WITH_CALLS = (
    f"The check is patient: each call may take {PATIENCE_S:g} seconds,"
    f" and the whole check {Limits.seconds / 60:g} minutes."
)
HAND_IN = "To hand in: the file `work/{file}`, or this notebook with your code in its `%%lab` cell."

MAGIC = "%%lab"
BEGINS = re.compile(r"^\s*brief\.begin\(\s*(\d{1,2})\s*\)", re.MULTILINE)


def begin(number: int) -> None:
    """Let the cell magic ``%%lab`` write the learner's file, and say so.

    Args:
        number: number of the lab.

    Raises:
        UsageError: there is no such lab, or the code does not run in a notebook.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise UsageError("begin() belongs in a notebook; elsewhere use `make check LAB=…`")
    lab = load(number)
    shell.register_magic_function(lambda line, cell: write(number, cell), "cell", "lab")
    file = shown(progress.file_of(number))
    print(f"Lab {number} · {lab.title}: ready. The cell with your code writes {file}.")


def write(number: int, source: str) -> None:
    """Write the learner's file; a different older one is kept beside it.

    Args:
        number: number of the lab.
        source: Python code of the cell.

    Raises:
        NotWrittenError: the disk is full; what was written before stays.
    """
    file = progress.file_of(number)
    note = ""
    if file.exists() and file.read_text(encoding="utf-8") != source:
        before = file.with_suffix(".before.py")
        files.write(before, file.read_text(encoding="utf-8"))
        note = f"; what was there is now in {shown(before)}"
    files.write(file, source)
    print(f"written to {shown(file)}{note}")


def check(number: int) -> None:
    """Check the learner's file and print the verdict; an interrupt ends the check.

    Args:
        number: number of the lab.
    """
    # In a separate process, like `make check`: an interrupt leaves nothing running in this kernel.
    command = [sys.executable, "-m", "labs.judge", "check", str(number)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
        except KeyboardInterrupt:
            process.terminate()
            print("The check was interrupted: no verdict.")


def handed_in(text: str) -> tuple[str, int | None]:
    """Return the code in the ``%%lab`` cell of a brief, and the brief's number, if it names one.

    Args:
        text: content of the notebook.

    Raises:
        UsageError: it is no notebook, or it has not exactly one such cell.
    """
    import nbformat  # slow, and a check does without it

    try:
        with warnings.catch_warnings(action="ignore"):
            nb = nbformat.reads(text, as_version=4)
        sources = [str(cell.source).lstrip() for cell in nb.cells if cell.cell_type == "code"]
    except (nbformat.ValidationError, ValueError, LookupError, AttributeError, TypeError,
            RecursionError):  # fmt: skip
        raise UsageError("it cannot be read as a notebook") from None
    cells = [source for source in sources if source.partition("\n")[0].split()[:1] == [MAGIC]]
    if len(cells) != 1:
        number = "no cell begins" if not cells else f"{len(cells)} cells begin"
        raise UsageError(f"{number} with {MAGIC}, and one has to")
    numbers = {int(found) for source in sources for found in BEGINS.findall(source)}
    return cells[0].partition("\n")[2], numbers.pop() if len(numbers) == 1 else None
