"""Hold an interview in a terminal."""

import time
from collections.abc import Callable
from typing import Any

from practice import asking, proving, screen
from practice.prompts import Decide, Mark, Prompt, Prove, Script, Speak, Spoken, Tell
from practice.sheet import Sheet


def play(script: Script, *, seed: str) -> Sheet:
    """Ask what a script wants to know, and return its sheet.

    Args:
        script: of an interview.
        seed: decides in which order choices stand.

    Raises:
        StopAskingError: the learner ends it; what was answered is kept.
    """
    began = time.monotonic()
    answer: Any = None
    while True:
        try:
            prompt = script.send(answer)
        except StopIteration as end:
            sheet: Sheet = end.value
            return sheet
        answer = _answer(prompt, seed, lambda: time.monotonic() - began)


def _answer(prompt: Prompt, seed: str, elapsed: Callable[[], float]) -> Any:
    if isinstance(prompt, Tell):
        screen.show(prompt.text)
    elif isinstance(prompt, Speak):
        minutes, seconds = divmod(int(elapsed()), 60)
        print(f"[{minutes:02}:{seconds:02}]")
        screen.show(prompt.text)
        lines = tuple(asking.headlines())
        if not prompt.sure:
            return Spoken(lines)
        print("That an expert finds nothing wrong in it:")
        return Spoken(lines, screen.ask_sure())
    elif isinstance(prompt, Mark):
        marks = {point.id: asking.mark(point, prompt.lines) for point in prompt.points}
        print()
        return marks
    elif isinstance(prompt, Decide):
        screen.show(prompt.text)
        given = asking.decided(prompt.wanted, seed=f"{seed} {prompt.text}")
        if prompt.back:
            screen.show(prompt.back)
        return given
    elif isinstance(prompt, Prove):
        print(f"The experiment of {prompt.claim} runs on your broker …\n")
        return proving.prove(prompt.claim)
    return None


def show(sheet: Sheet, words: list[str]) -> None:
    """Print a score sheet.

    Args:
        sheet: of an interview.
        words: the sentences below its table.
    """
    print("── Score sheet: not a grade\n")
    print(f"{sheet.table()}\n")
    for text in words:
        print(screen.wrapped(text))
