"""Forms for the answers of an interview: text that a learner fills in, and what it says then."""

import re
import textwrap
from collections.abc import Mapping

from helpers.errors import UsageError
from practice import judging, screen
from practice.cards import Choice
from practice.prompts import Decide, Mark, Prompt, Speak, Spoken

NOTHING = "-"  # typed by who has nothing to say
WORDS = "In your words:"
WIDTH = 95
_SPEAK = f"# Say it aloud. Then type one line for each point you made; {NOTHING} if none."
_SURE_OF_ALL = "# How sure are you, 0 to 100, that an expert finds nothing wrong in it?"
_MARK = (
    "# y in front of each point that you made, p if partly, n if not. Where no line of yours has\n"
    "# its words, y and p count with the words that you meant."
)
_DECIDE = f"# Your answer, {NOTHING} if you don't know; and how sure you are, 0 to 100."
_PROVE = "# Run this cell as it is."


def blank(prompt: Prompt) -> str:
    """Return the form for the answer to a prompt; lines that begin with # are no part of it."""
    if isinstance(prompt, Speak):
        asked = textwrap.wrap(prompt.text, initial_indent="# ", subsequent_indent="# ", width=WIDTH)
        lines = [*asked, _SPEAK, "", *([_SURE_OF_ALL, "sure:"] if prompt.sure else [""])]
    elif isinstance(prompt, Mark):
        lines = [_MARK, *(_point(prompt, number) for number in range(len(prompt.points)))]
    else:
        lines = [_DECIDE, "answer:", "sure:"] if isinstance(prompt, Decide) else [_PROVE]
    return "\n".join(lines)


def _point(prompt: Mark, number: int) -> str:
    point = prompt.points[number]
    line = judging.line_with(point, prompt.lines)
    return f"?  # {point.says} (your line {line})" if line else f"n  # {point.says}. {WORDS}"


def spoken(text: str) -> Spoken:
    """Return what was said aloud, as a filled form has it.

    Raises:
        UsageError: there is no line, or no percentage.
    """
    lines, sure = _filled(text)
    if not lines:
        raise UsageError(f"type a line for each point you made, or {NOTHING} if you made none")
    return Spoken(tuple(line for line in lines if line != NOTHING), sure)


def marks(text: str, prompt: Mark) -> dict[str, str]:
    """Return for each point by its id "y", "n" or "p", as a filled form has it.

    Raises:
        UsageError: a line is missing, or begins with something else.
    """
    lines, _ = _filled(text)
    if len(lines) != len(prompt.points):
        raise UsageError(f"there are {len(prompt.points)} points, and {len(lines)} lines")
    found = {}
    for line, point in zip(lines, prompt.points, strict=True):
        mark = line.partition("#")[0].strip().lower()
        if mark not in ("y", "n", "p"):
            raise UsageError(f"y, n or p has to stand in front of “{point.says}”, not {mark!r}")
        own = judging.line_with(point, prompt.lines) or line.partition(WORDS)[2].strip()
        found[point.id] = mark if own else "n"
    return found


def decided(
    text: str, prompt: Decide, options: Mapping[str, str]
) -> tuple[float | str | None, int | None]:
    """Return the answer (None for "I don't know") and how sure the learner is, in percent.

    Args:
        text: a filled form.
        prompt: what was asked.
        options: of a choice, by letter; else empty.

    Raises:
        UsageError: there is no answer, no such letter, no number, or no percentage.
    """
    lines, sure = _filled(text)
    typed = " ".join(lines).removeprefix("answer:").strip()
    if not typed:
        raise UsageError(f"type your answer, or {NOTHING} if you don't know")
    if typed == NOTHING:
        return None, None
    if isinstance(prompt.wanted, Choice):
        if typed.lower() not in options:
            raise UsageError(f"the answer is one of {', '.join(options)}, not {typed}")
        return options[typed.lower()], sure
    number = screen.number_in(typed)
    if number is None:
        raise UsageError(f"the answer is a number, not {typed}")
    return number, sure


def _filled(text: str) -> tuple[list[str], int | None]:
    """Return the lines of a form, without those of its own, and how sure the learner is."""
    lines, sure = [], None
    for line in (one.strip() for one in text.splitlines()):
        if re.match(r"sure:", line, re.IGNORECASE):
            sure = _percent(line.partition(":")[2].strip())
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines, sure


def _percent(typed: str) -> int | None:
    number = screen.number_in(typed)
    if typed and (number is None or not 0 <= number <= 100):
        raise UsageError(f"how sure you are is a number from 0 to 100, not {typed}")
    return None if number is None else round(number)
