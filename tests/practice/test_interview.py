"""The interview's notebook in a real kernel, played by its forms as JupyterLab plays it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks.sockets import own_sockets
from practice import forms, interview, judging
from practice.cards import Choice, Number
from practice.prompts import Decide, Mark, Prove, Speak, Spoken
from practice.rubrics import Point
from tests.conftest import child_environment

NOTEBOOK = ROOT / "notebooks" / "interview.ipynb"
CELLS = {
    cell.id: cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"
}
TIMEOUT_S = 120


@dataclass
class Kernel:
    """Runs cells, and has what they printed and what became of the cell."""

    client: Any
    printed: str = ""
    form: str = ""  # what the kernel asked the front end to put into the cell
    every: list[str] = field(default_factory=list)

    def run(self, code: str) -> str:
        """Run a cell, and return what it printed."""
        texts: list[str] = []

        def collect(message):
            content = message["content"]
            if message["msg_type"] == "display_data":
                texts.append(content["data"]["text/markdown"])
            elif message["msg_type"] == "stream":
                texts.append(content["text"])
            elif message["msg_type"] == "error":
                texts.append("\n".join(content["traceback"]))

        reply = self.client.execute_interactive(code, output_hook=collect, timeout=TIMEOUT_S)
        payload = [one for one in reply["content"].get("payload", []) if one["replace"]]
        self.form = payload[0]["text"] if payload else ""
        self.printed = "\n".join(texts)
        self.every.append(self.printed)
        return self.printed


@pytest.fixture
def kernel(tmp_path, request) -> Iterator[Kernel]:
    """Return a kernel whose learner has done nothing yet; without a broker unless one is shared."""
    variables = {"RABBIT_LAB_WORK": str(tmp_path / "work")}
    if "shared_broker" not in request.fixturenames:
        variables |= {"AMQP_URL": "amqp://127.0.0.1:1/"}
    manager = KernelManager(kernel_name="python3", **own_sockets())
    manager.start_kernel(env=child_environment(**variables), cwd=str(NOTEBOOK.parent))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT_S)
        yield Kernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def filled(form: str) -> str:
    """Fill a form as somebody does who says everything and can prove nothing."""
    if "\nanswer:" in form:
        return form.replace("answer:", "answer: -")
    if "# y in front" in form:
        lines = form.replace(f" {forms.WORDS}", f" {forms.WORDS} as I said").splitlines()
        return "\n".join(re.sub(r"^[?n] ", "y ", line) for line in lines)
    return form.replace("\n\n", "\nunacked, prefetch\n", 1).replace("sure:", "sure: 80 %")


def play(kernel: Kernel, most: int = 60) -> None:
    """Answer from the first form until there is a score sheet."""
    form = CELLS["answer"]
    for _ in range(most):
        kernel.run(filled(form))
        if "Score sheet" in kernel.printed:
            return
        assert kernel.form, kernel.printed
        form = kernel.form
    pytest.fail(f"no score sheet after {most} answers: {kernel.printed}")


def test_from_begin_to_the_score_sheet(kernel, tmp_path):
    assert "Q09" in kernel.run(
        'from practice import interview\ninterview.begin("staff", question="q09", seed="1")'
    )
    play(kernel)
    assert "junior" in kernel.printed and "make check LAB=09" in kernel.printed
    whole = "\n".join(kernel.every)
    assert "Cross-examined on" in whole and "Your tick is taken back." in whole
    assert "without a broker, by what was measured" in whole
    kept = (tmp_path / "work" / "practice.jsonl").read_text()
    assert '"kind": "interview"' in kept and '"sure": 80' in kept
    assert kernel.run(filled(CELLS["answer"])) == interview.LATE


def test_with_a_broker_the_claim_is_measured(kernel, shared_broker):
    kernel.run(
        "from practice import interview\n"
        'interview.begin("junior", question="q09", seed="1", minutes=0.01)'
    )
    play(kernel)
    whole = "\n".join(kernel.every)
    assert "takes some seconds on your broker" in whole
    assert "It failed here" not in whole
    assert re.search(r"^q09\.\d+ ", kernel.printed, re.MULTILINE)


def test_cells_run_again_and_out_of_order_answer_nothing(kernel, tmp_path):
    assert kernel.run(CELLS["begin"].splitlines()[0]) == ""
    assert kernel.run("interview.end()") == interview.LATE
    kernel.run(CELLS["begin"])
    assert "Not taken yet:" in kernel.run(CELLS["answer"])
    first = filled(CELLS["answer"])
    assert "one by one" in kernel.run(first)
    marks = kernel.form
    assert "That was form 1; this is 2" in kernel.run(first)
    assert kernel.form == marks
    assert not (tmp_path / "work" / "practice.jsonl").exists()
    kernel.run(filled(marks))
    assert "Score sheet" in kernel.run(CELLS["end"])
    assert kernel.run(CELLS["end"]) == interview.LATE


def test_the_notebooks_first_form_is_the_first_that_is_asked_for():
    assert CELLS["answer"] == f"{interview.MAGIC} 1\n{forms.blank(Speak('', sure=True))}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"level": "boss"}, "a level is one of junior, senior, staff, not 'boss'"),
        ({"question": "prefetch"}, "a question is one of q01 to q10, not 'prefetch'"),
        ({"minutes": 0}, "an interview takes some minutes, not 0"),
        ({}, "belongs in a notebook; in a terminal: make interview"),
    ],
)
def test_what_cannot_begin_says_why(learner, arguments, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        interview.begin(**arguments)


POINTS = tuple(
    Point(name, "", f"It says {name}", (f"{name}*",), ("q09.1",), "", "")
    for name in ("window", "crash")
)
MARK = Mark(POINTS, ("the window of a consumer",))
NUMBER = Decide("How many?", Number(60.0, "messages"), "")
CHOICE = Decide("Which?", Choice(("holds", "refuted"), "refuted"), "")


def test_a_form_points_to_the_line_that_has_the_words():
    assert forms.blank(MARK).splitlines()[-2:] == [
        "?  # It says window (your line 1)",
        f"n  # It says crash. {forms.WORDS}",
    ]
    assert "as it is" in forms.blank(Prove("q09.1"))


def test_a_form_has_the_question():
    asked = Speak("Is it so? " * 12)
    assert forms.blank(asked).startswith("# Is it so? Is it")
    assert max(map(len, forms.blank(asked).splitlines())) <= forms.WIDTH
    assert forms.spoken(forms.blank(asked) + "one") == Spoken(("one",))


def test_what_was_said():
    assert forms.spoken("# a remark\n\n one \ntwo\nSure: 70 %\n") == Spoken(("one", "two"), 70)
    assert forms.spoken("-\nsure:") == Spoken(())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("y  # It says window (your line 1)\nn  # It says crash", ("y", "n")),
        (f"Y\nP # It says crash. {forms.WORDS} all comes back", ("y", "p")),
        (f" p# so\ny  # It says crash. {forms.WORDS} ", ("p", "n")),  # a point costs its words
    ],
)
def test_marks(text, found):
    assert tuple(forms.marks(text, MARK).values()) == found


@pytest.mark.parametrize(
    ("prompt", "text", "found"),
    [
        (NUMBER, "answer: 60\nsure: 90", (60.0, 90)),
        (NUMBER, "1,000 messages", (1000.0, None)),
        (NUMBER, "answer: -\nsure: 90", (None, None)),
        (CHOICE, "answer: A\nsure:", ("holds", None)),
        (CHOICE, "answer: b", ("refuted", None)),
    ],
)
def test_what_was_decided(prompt, text, found):
    assert forms.decided(text, prompt, {"a": "holds", "b": "refuted"}) == found


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda: forms.spoken("# only a remark\nsure: 3"), "type a line for each point"),
        (lambda: forms.spoken("one\nsure: very"), "a number from 0 to 100, not very"),
        (lambda: forms.spoken("one\nsure: 101"), "a number from 0 to 100, not 101"),
        (lambda: forms.marks("y # one", MARK), "there are 2 points, and 1 lines"),
        (lambda: forms.marks("? # It\nn # It", MARK), "in front of “It says window”, not '?'"),
        (lambda: forms.decided("answer:", NUMBER, {}), "type your answer"),
        (lambda: forms.decided("answer: many", NUMBER, {}), "a number, not many"),
        (lambda: forms.decided("answer: c", CHOICE, {"a": "holds"}), "one of a, not c"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(read, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        read()


def test_the_letters_are_the_same_for_the_same_seed():
    wanted = Choice(tuple("stuvw"), "s")
    assert judging.lettered(wanted, "1") == judging.lettered(wanted, "1")
    assert set(judging.lettered(wanted, "1")) == set("abcde")
    assert judging.lettered(Number(1.0), "1") == {}
