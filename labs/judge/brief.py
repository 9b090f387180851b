"""Functions for a brief's cells: write the learner's file, and check it."""

import subprocess
import sys

from helpers.errors import UsageError
from helpers.machine.paths import ROOT, shown
from labs.judge import progress
from labs.judge.model import load


def begin(number: int) -> None:
    """Print the lab's requirements, and let the cell magic ``%%lab`` write its file.

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
    print(f"Lab {number} · {lab.title}. What must hold:")
    for key, sentence in lab.requirements.items():
        print(f"  {key}  {sentence}")


def write(number: int, source: str) -> None:
    """Write the learner's file; a different older one is kept beside it.

    Args:
        number: number of the lab.
        source: Python code of the cell.
    """
    file = progress.file_of(number)
    note = ""
    if file.exists() and file.read_text(encoding="utf-8") != source:
        before = file.with_suffix(".before.py")
        before.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        note = f"; what was there is now in {shown(before)}"
    file.write_text(source, encoding="utf-8")
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
