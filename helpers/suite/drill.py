"""Read the interview drill of a notebook.

The section ``## Interview drill`` has one fixed form and begins with three parts::

    ### Two-minute answer
    ### Follow-ups             <details><summary>[senior] Question?</summary> Answer </details> …
    ### Common wrong answers   | what people say | what is wrong | refuted by |
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nbformat import NotebookNode

from helpers.errors import UsageError

SECTION = "Interview drill"
PARTS = ("Two-minute answer", "Follow-ups", "Common wrong answers")
LEVELS = ("junior", "senior", "staff")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CARD = re.compile(
    r"<details>\s*<summary>\[(?P<level>\w+)\] (?P<question>[^\n]+?)</summary>"
    r"(?P<answer>.*?)</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class FollowUp:
    """A question that follows the answer, for one level, with its answer in Markdown."""

    level: str
    question: str
    answer: str


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer, the reason why it is wrong, and the claims that refute it."""

    says: str
    why: str
    claims: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Drill:
    """The drill of one notebook."""

    question: str
    title: str
    two_minute_answer: str
    follow_ups: tuple[FollowUp, ...]
    wrong_answers: tuple[WrongAnswer, ...]

    def __repr__(self) -> str:
        counts = f"follow_ups={len(self.follow_ups)}, wrong_answers={len(self.wrong_answers)}"
        return f"Drill({self.question}, {counts})"


def read(path: Path | str) -> Drill:
    """Read the drill of a notebook file.

    Args:
        path: an ``.ipynb`` file.

    Raises:
        UsageError: the file is not a notebook, or its drill has another form.
    """
    from helpers.suite.notebooks.running import read as read_notebook

    return parse(read_notebook(path), Path(path).name)


def parse(nb: NotebookNode, name: str) -> Drill:
    """Read the drill of a notebook.

    Args:
        nb: a notebook.
        name: its file's name, which begins with the question's, such as "q02_routing.ipynb".

    Raises:
        UsageError: its drill has another form, or it has no title; the message says where.
    """
    from helpers.suite.notebooks import title

    def refuse(what: str) -> NoReturn:
        raise UsageError(f"{name}: the interview drill {what}")

    headings = re.split(r"^### (.+?)\s*$", _section(nb), flags=re.MULTILINE)
    names, bodies = tuple(headings[1::2]), headings[2::2]
    if names[: len(PARTS)] != PARTS:
        refuse(f"has the headings {list(names)}; it must begin with {list(PARTS)}")
    answer, cards, table = (body.strip() for body in bodies[: len(PARTS)])
    if not answer:
        refuse("has no text under Two-minute answer")

    follow_ups = tuple(
        FollowUp(match["level"], match["question"].strip(), match["answer"].strip())
        for match in CARD.finditer(cards)
    )
    rest = CARD.sub("", cards).strip()
    if rest:
        refuse(
            "has a follow-up that is not <details><summary>[level] question</summary>"
            f" answer </details>: {rest[:60]!r}"
        )
    for card in follow_ups:
        if card.level not in LEVELS:
            refuse(f"has a follow-up with the level [{card.level}], not one of {', '.join(LEVELS)}")
        if not card.answer:
            refuse(f"has a follow-up without an answer: {card.question!r}")

    wrong_answers = []
    for line in [line.strip() for line in table.splitlines() if line.strip().startswith("|")][2:]:
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        claims = tuple(re.findall(r"q\d\d\.\d+", cells[-1])) if cells else ()
        if len(cells) != 3 or not all(cells):
            refuse(f"has a wrong answer that is not a row of three cells: {line!r}")
        if not claims:
            refuse(f"has a wrong answer whose last column names no claim: {line!r}")
        wrong_answers.append(WrongAnswer(cells[0], cells[1], claims))
    return Drill(name[:3], title(nb), answer, follow_ups, tuple(wrong_answers))


def _section(nb: NotebookNode) -> str:
    found, inside = [], False
    for cell in nb.cells:
        if cell.cell_type != "markdown":
            continue
        headings = re.findall(r"^## (.+?)\s*$", FENCED.sub("", cell.source), re.MULTILINE)
        inside = headings[-1] == SECTION if headings else inside
        if inside:
            found.append(cell.source)
    return "\n\n".join(found)
