"""An interview in JupyterLab: `begin` asks, and the cell magic ``%%answer`` takes each answer.

After each answer the cell becomes the form of the next one. A form has a number: a cell that is run
again, or out of turn, answers nothing.
"""

import time
from dataclasses import dataclass
from typing import Any

from helpers.errors import UsageError
from helpers.suite.drill import LEVELS
from practice import forms, holding, judging, material, proving
from practice.judging import Answer
from practice.prompts import Decide, Mark, Prompt, Prove, Script, Speak, Tell
from practice.script import Interview
from practice.sheet import Sheet

MAGIC = "%%answer"
LATE = "There is no interview: `interview.begin()` begins one."


@dataclass
class Session:
    """An interview on its way: what waits for an answer, and how many were asked for."""

    held: Interview
    script: Script
    prompt: Prompt | None = None  # None: it has ended
    number: int = 0
    since: float = 0.0


_session: Session | None = None


def begin(
    level: str = holding.LEVEL, *, question: str = "", minutes: float = holding.MINUTES,
    seed: str | None = None,
) -> None:  # fmt: skip
    """Begin an interview; one that was on its way ends, and what was answered in it is kept.

    Args:
        level: where it begins: "junior", "senior" or "staff".
        question: about this one, such as "q09"; "": about the one that needs it most.
        minutes: what would come after that time is left out.
        seed: the same seed and history ask the same questions; None: other ones each time.

    Raises:
        UsageError: no such level or question, or the code does not run in a notebook.
    """
    global _session  # noqa: PLW0603  (a kernel holds one interview at a time)
    if level not in LEVELS:
        raise UsageError(f"a level is one of {', '.join(LEVELS)}, not {level!r}")
    if question and question not in material.questions():
        raise UsageError(f"a question is one of q01 to q10, not {question!r}")
    if not minutes > 0:
        raise UsageError(f"an interview takes some minutes, not {minutes!r}")
    _shell().register_magic_function(answer, "cell", "answer")
    held = holding.begin([question] if question else [], level=level, minutes=minutes, seed=seed)
    if held.history.remark:
        _show(held.history.remark)
    _session = Session(held, held.script())
    _go_on(_session, None)


def answer(line: str, cell: str) -> None:
    """Take the answer in a ``%%answer`` cell, and ask what comes next.

    Args:
        line: number of the form.
        cell: the form as it was filled in.
    """
    session = _session
    if session is None or session.prompt is None:
        _show(LATE)
        return
    if line.strip() != str(session.number):
        _ask(session, f"That was form {line.strip()}; this is {session.number}:")
        return
    try:
        given = _read(session, session.prompt, cell)
    except UsageError as error:
        _show(f"**Not taken yet:** {error}.")
        return
    _go_on(session, given)


def end() -> None:
    """End an interview early: what was answered is kept, and its sheet is shown."""
    if _session is None or _session.prompt is None:
        _show(LATE)
        return
    _session.prompt = None
    _close(_session.held.sheet, _session)


def _read(session: Session, prompt: Prompt, cell: str) -> Any:
    """Return the answer to a prompt from a filled form, or from the broker."""
    if isinstance(prompt, Speak):
        return forms.spoken(cell)
    if isinstance(prompt, Mark):
        return forms.marks(cell, prompt)
    if isinstance(prompt, Prove):
        return proving.prove(prompt.claim)
    assert isinstance(prompt, Decide)
    said, sure = forms.decided(cell, prompt, _options(session, prompt))
    right = judging.is_right(prompt.wanted, said)
    given = Answer(right, said, sure, time.monotonic() - session.since)
    _show(f"**{judging.verdict_on(given, prompt.wanted)}**\n\n{prompt.back}")
    return given


def _go_on(session: Session, given: Any) -> None:
    """Send an answer to the script, show what it tells, and ask what it wants to know next."""
    while True:
        try:
            prompt = session.script.send(given)
        except StopIteration as stop:
            session.prompt = None
            _close(stop.value, session)
            return
        if not isinstance(prompt, Tell):
            break
        given = None
        _show(prompt.text)
    session.prompt, session.since = prompt, time.monotonic()
    session.number += 1
    _ask(session)


def _ask(session: Session, remark: str = "") -> None:
    """Show what waits for an answer, and make its form of the cell that was run."""
    prompt, minutes = session.prompt, int(session.held.elapsed() // 60)
    assert prompt is not None
    if remark:
        _show(remark)
    if isinstance(prompt, Speak):
        _show(f"### {prompt.text}\n\nMinute {minutes}. Answer aloud, then fill the form.")
    elif isinstance(prompt, Mark):
        _show("**Your points, one by one, before you see the answer.**")
    elif isinstance(prompt, Decide):
        options = _options(session, prompt).items()
        _show("\n\n".join([prompt.text, *(f"**{letter}**  {text}" for letter, text in options)]))
    elif isinstance(prompt, Prove):
        _show(f"The experiment of {prompt.claim} takes some seconds on your broker.")
    if session.number > 1 or remark:  # the first form stands in the notebook
        form = f"{MAGIC} {session.number}\n{forms.blank(prompt)}"
        _shell().set_next_input(form, replace=True)


def _options(session: Session, prompt: Decide) -> dict[str, str]:
    return judging.lettered(prompt.wanted, f"{session.held.seed} {prompt.text}")


def _close(sheet: Sheet, session: Session) -> None:
    if not sheet.made:
        _show("The interview has ended before anything was marked.")
        return
    words = "\n".join(f"- {text}" for text in holding.closing(session.held))
    _show(f"### Score sheet: not a grade\n\n```text\n{sheet.table()}\n```\n\n{words}")


def _show(markdown: str) -> None:
    from IPython.display import Markdown, display

    display(Markdown(markdown))


def _shell() -> Any:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise UsageError("this belongs in a notebook; in a terminal: make interview")
    return shell
