"""What a brief's cells use: a cell that writes the learner's file, and a cell that checks it."""

import subprocess
import sys

from helpers.errors import UsageError
from helpers.machine.paths import ROOT, shown
from labs.judge import progress
from labs.judge.model import load


def begin(number: int) -> None:
    """Say what the lab asks for, and make the cell magic ``%%lab`` write its file.

    Args:
        number: of the lab.

    Raises:
        UsageError: there is no such lab, or this is no notebook.
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
    """Write the learner's file; what stood there and differs is kept beside it.

    Args:
        number: of the lab.
        source: Python, as it stands in the cell.
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
        number: of the lab.
    """
    # A process of its own, like `make check`: an interrupted check leaves nothing in this kernel.
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
