"""The README's part on the ten questions and their verdicts, made from the notebooks."""

import html
import re
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.table import Row, as_sentence, escape, rows

BEGIN, END = "<!-- questions:begin -->", "<!-- questions:end -->"
TITLE = re.compile(r"# Q(\d+) · (.+)")

QUESTIONS = {
    1: "What is event-driven architecture?",
    2: "Message queue vs pub/sub vs event bus?",
    3: "What is a dead letter queue?",
    4: "At-least-once vs at-most-once vs exactly-once?",
    5: "How do you make event handlers idempotent?",
    6: "Retry strategies and exponential backoff?",
    7: "Worker vs web server?",
    8: "How would you handle message ordering?",
    9: "What is prefetch and why does it matter?",
    10: "How do you monitor messaging systems?",
}
# The claim of each question that readers expect least.
SURPRISES = {
    **{1: "q01.5", 2: "q02.4", 3: "q03.2", 4: "q04.3", 5: "q05.4"},
    **{6: "q06.2", 7: "q07.4", 8: "q08.7", 9: "q09.7", 10: "q10.5"},
}


def title(nb: NotebookNode) -> str:
    """Return the question that a notebook answers, from its first line ``# Q2 · question``.

    Args:
        nb: a notebook.

    Raises:
        UsageError: the first line has another form.
    """
    first = nb.cells[0].source.partition("\n")[0] if nb.cells else ""
    match = TITLE.fullmatch(first.strip())
    if match is None:
        raise UsageError(f'a notebook begins with a line like "# Q2 · question", not {first!r}')
    return match[2]


def answered(root: Path = ROOT) -> dict[int, Path]:
    """Return the notebooks by the number of their question.

    Args:
        root: the checkout, whose ``notebooks/qNN_*.ipynb`` are listed.

    Raises:
        UsageError: two notebooks answer the same question.
    """
    found: dict[int, Path] = {}
    for path in sorted((root / "notebooks").glob("q[0-9][0-9]_*.ipynb")):
        number = int(path.name[1:3])
        if number in found:
            raise UsageError(
                f"question {number} has more than one notebook: {found[number].name}, {path.name}"
            )
        found[number] = path
    return found


def readme_table(root: Path = ROOT) -> str:
    """Return the README's part as Markdown: the questions, then their claims, folded.

    Args:
        root: the checkout, whose notebooks are read as they are stored.

    Raises:
        UsageError: a notebook has no title, two answer the same question, or a stored claim has
            no sentence.
    """
    questions = [
        "| | question | holds | holds if … | refuted | most surprising |",
        "|--:|---|--:|--:|--:|---|",
    ]
    folded = []
    notebooks = answered(root)
    for number, question in QUESTIONS.items():
        path = notebooks.get(number)
        if path is None:
            questions.append(f"| {number} | {question} | | | | *in preparation* |")
            continue
        nb = read(path)
        found = rows(nb)
        kinds = [row.claim.verdict.partition(" if ")[0:2] for row in found]
        counts = [kinds.count(kind) for kind in (("holds", ""), ("holds", " if "), ("refuted", ""))]
        cells = " | ".join(map(str, counts))
        link = f"[{title(nb)}](notebooks/{path.name})"
        questions.append(f"| {number} | {link} | {cells} | {_example(number, found)} |")
        folded.append(_folded(number, title(nb), found))
    return "\n\n".join(["\n".join(questions), *folded])


def _example(number: int, found: list[Row]) -> str:
    # Where it is not there (yet): the first that is refuted, or the first of all.
    chosen = [row for row in found if row.claim.id == SURPRISES[number]]
    chosen += [row for row in found if row.claim.verdict == "refuted"] + found
    if not chosen:
        return ""
    return f"“{escape(as_sentence(chosen[0].sentence))}”: {escape(chosen[0].claim.verdict)}"


def _folded(number: int, question: str, found: list[Row]) -> str:
    count = f"{len(found)} claim{'s' if len(found) != 1 else ''}"
    lines = [
        f"<details>\n<summary>Q{number} · {html.escape(question)} · {count}</summary>\n",
        "| claim | sentence | verdict | evidence |",
        "|---|---|---|---|",
    ]
    for row in found:
        texts = (as_sentence(row.sentence), row.claim.verdict, row.brief)
        lines.append(f"| {row.claim.id} | {' | '.join(map(escape, texts))} |")
    return "\n".join([*lines, "\n</details>"])


def stored_table(root: Path = ROOT) -> str:
    """Return what the README has between its two marks.

    Args:
        root: the checkout, whose ``README.md`` is read.

    Raises:
        UsageError: there is no README, or its marks are missing.
    """
    return _split(root)[1].strip()


def write_readme_table(root: Path = ROOT) -> bool:
    """Put the current tables between the README's two marks.

    Args:
        root: the checkout.

    Returns:
        True when the README changed.

    Raises:
        UsageError: there is no README, or its marks are missing.
    """
    before, old, after = _split(root)
    new = f"\n{readme_table(root)}\n"
    if new != old:
        (root / "README.md").write_text(before + BEGIN + new + END + after, encoding="utf-8")
    return new != old


def _split(root: Path) -> tuple[str, str, str]:
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not (begin and end):
        raise UsageError(f"README.md needs the marks {BEGIN} and {END} around its tables")
    return before, table, after
