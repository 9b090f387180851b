"""The table of the ten questions and their verdicts in the README, made from the notebooks."""

import re
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.notebooks.claimlines import claim_lines
from helpers.notebooks.running import read

ROOT = Path(__file__).resolve().parents[2]
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


def readme_table(root: Path = ROOT) -> str:
    """Return the table of questions as Markdown, with the verdicts stored in the notebooks.

    Args:
        root: the checkout, whose ``notebooks/qNN_*.ipynb`` are read.

    Raises:
        UsageError: a notebook has no title, or two answer the same question.
    """
    rows = ["| | question | what the experiments say |", "|--:|---|---|"]
    for number, question in QUESTIONS.items():
        files = sorted((root / "notebooks").glob(f"q{number:02}_*.ipynb"))
        if len(files) > 1:
            raise UsageError(f"question {number} has more than one notebook: {files}")
        if not files:
            rows.append(f"| {number} | {question} | in preparation |")
            continue
        nb = read(files[0])
        claims = sorted(f"{claim.id} {claim.verdict}" for claim in claim_lines(nb))
        verdicts = "<br>".join(claims).replace("|", r"\|")
        rows.append(f"| {number} | [{title(nb)}](notebooks/{files[0].name}) | {verdicts} |")
    return "\n".join(rows)


def stored_table(root: Path = ROOT) -> str:
    """Return the table that the README has between its two marks.

    Args:
        root: the checkout, whose ``README.md`` is read.

    Raises:
        UsageError: there is no README, or its marks are missing.
    """
    return _split(root)[1].strip()


def write_readme_table(root: Path = ROOT) -> bool:
    """Put the current table between the README's two marks.

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
        raise UsageError(f"README.md needs the marks {BEGIN} and {END} around its table")
    return before, table, after
