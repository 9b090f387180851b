"""Talk with a learner in a terminal of any width: no colour, no cursor, plain lines."""

import re
import shutil
import textwrap
from collections.abc import Iterator

WIDEST = 88
NARROWEST = 20
LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
KEPT = re.compile(r"\s*(```|\||([-*]|\d+\.) )")  # code, tables and lists keep their lines
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


class StopAskingError(Exception):
    """The learner has had enough, or the input has ended."""


def width() -> int:
    """Return how many columns a line may have."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def show(markdown: str) -> None:
    """Print Markdown as text that fits the terminal, with an empty line after it."""
    print(wrapped(markdown) + "\n")


def wrapped(markdown: str, columns: int | None = None) -> str:
    """Return Markdown as text for a terminal: links as their words, paragraphs wrapped.

    Args:
        markdown: what is shown; code, tables and lists keep their lines.
        columns: of a line; None: as wide as the terminal.
    """
    found = []
    for part in FENCE.split(markdown):
        if part.startswith("```"):
            found.append(part.partition("\n")[2].removesuffix("```").rstrip())
        else:
            plain = LINK.sub(r"\1", re.sub(r"^> ?", "", part, flags=re.MULTILINE))
            found += _paragraphs(plain, columns or width())
    return "\n\n".join(found)


def _paragraphs(text: str, columns: int) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if KEPT.match(paragraph):
            yield paragraph
        elif paragraph.strip():
            yield textwrap.fill(paragraph, columns, break_long_words=False)


def ask(prompt: str) -> str:
    """Return a line that the learner types, without spaces around it.

    Raises:
        StopAskingError: it was q, or there is no more input.
    """
    try:
        line = input(f"{prompt} ").strip()
    except EOFError:
        print()
        raise StopAskingError from None
    if line.lower() in ("q", "quit"):
        raise StopAskingError
    return line


def ask_one_of(prompt: str, answers: str, otherwise: str = "") -> str:
    """Return one of some letters; ask again until it is one.

    Args:
        prompt: the question, which names the letters.
        answers: the letters, such as "ynp".
        otherwise: what an empty line means; "" if it means nothing.

    Raises:
        StopAskingError: as `ask`.
    """
    while True:
        line = ask(prompt).lower()[:1] or otherwise
        if line and line in answers:
            return line
        print(f"One of {', '.join(answers)}, please; q ends.")


def number_in(line: str) -> float | None:
    """Return the number with which a line begins; None if there is none."""
    match = re.match(r"[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?", line, re.IGNORECASE)
    return float(match[0].replace(",", "")) if match else None


def ask_number(prompt: str) -> float | None:
    """Return a number that the learner types; None for an empty line.

    Raises:
        StopAskingError: as `ask`.
    """
    while True:
        line = ask(prompt)
        if not line:
            return None
        number = number_in(line)
        if number is not None:
            return number
        print("A number, please; an empty line if you don't know, q ends.")


def ask_sure() -> int | None:
    """Return how sure the learner is, in percent; None for an empty line.

    Raises:
        StopAskingError: as `ask`.
    """
    while True:
        number = ask_number("How sure are you, 0 to 100?")
        if number is None or 0 <= number <= 100:
            return None if number is None else round(number)
        print("From 0, a guess, to 100, certain.")
