"""An error of this package in a notebook: the sentence alone, wherever the notebook runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode

from helpers.machine.paths import ROOT
from helpers.suite.checks import NBVAL
from helpers.suite.notebooks.running import Problem, run
from tests.conftest import CHILD_TIMEOUT_S
from tests.support.tiny_notebooks import CHECK, checkout, code, save

__all__ = ["checkout"]

FROM_PIKA = """\
from pika.exceptions import StreamLostError
from helpers.errors import BrokerError
try:
    raise StreamLostError("reset")  # stands in the cell: the reader sees it there
except StreamLostError as error:
    raise BrokerError("the broker hung up") from error"""
FROM_A_CALLBACK = """\
from helpers.errors import RabbitLabError
def on_message(body):
    return {}[body]

import json
try:
    json.loads("[1]", parse_int=on_message)
except KeyError as error:
    raise RabbitLabError("the consumer failed") from error"""
CLAIM = "from helpers import claims\n" + CHECK.format(1).replace("=copies", "=20")


def ran(checkout: Path, *cells: NotebookNode) -> tuple[list[str], tuple[Problem, ...]]:
    done = run(save(checkout, *cells))
    outputs = [output for cell in done.notebook.cells for output in cell.outputs]
    return outputs[-1].traceback, done.problems


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            'from helpers.waits import wait_until\nwait_until(list, timeout_s=0, what="a message")',
            "WaitTimeoutError: timed out after 0 s waiting for a message; last value: []",
        ),
        (FROM_PIKA, "BrokerError: the broker hung up"),
        (FROM_PIKA.replace(" from error", " from None"), "BrokerError: the broker hung up"),
    ],
    ids=["raised", "from pika", "from nothing"],
)
def test_a_notebook_shows_the_sentence_alone(checkout, source, shown):
    traceback, problems = ran(checkout, code("a", source))
    assert traceback == [shown]
    name, _, text = shown.partition(": ")
    assert [(problem.name, problem.text) for problem in problems] == [(name, text)]


def test_a_mistake_in_a_function_of_a_cell_keeps_its_line(checkout):
    traceback, _ = ran(checkout, code("a", FROM_A_CALLBACK))
    assert traceback == [
        "RabbitLabError: the consumer failed",
        "  line 3, in on_message: return {}[body]",
    ]


def test_a_note_is_shown_below_the_sentence(checkout):
    noted = "error = BrokerError('gone')\nerror.add_note('the sampler failed, too')\nraise error"
    traceback, _ = ran(checkout, code("a", f"from helpers.errors import BrokerError\n{noted}"))
    assert traceback == ["BrokerError: gone", "the sampler failed, too"]


def test_a_failing_claim_keeps_its_numbers(checkout):
    traceback, (problem,) = ran(checkout, code("check-q02-1", CLAIM))
    assert "\n".join(traceback) == (
        'ClaimFailedError: q02.1 "each message goes to one consumer": expected "holds", measured'
        ' "refuted"\n  broke              one queue: the sentence says 40, measured 20'
    )
    assert problem.name == "ClaimFailedError"


def test_other_errors_keep_their_traceback(checkout):
    traceback, _ = ran(checkout, code("a", "def half(n):\n    return n / 0\nhalf(1)"))
    assert "ZeroDivisionError" in traceback[-1]
    assert len(traceback) > 2


def test_nbval_and_the_terminal_report_the_failure(checkout):
    path = save(checkout, code("check-q02-1", CLAIM))
    command = [sys.executable, "-m", "pytest", *NBVAL, "-q"]
    command += ["-p", "no:cacheprovider", "-p", "tests.support.nbval_repairs", "--rootdir", "/"]
    done = subprocess.run(
        [*command, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    assert "ClaimFailedError: q02.1" in done.stdout
    assert "the sentence says 40, measured 20" in done.stdout
    program = [sys.executable, "-c", CLAIM]
    done = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "the sentence says 40, measured 20" in done.stderr
