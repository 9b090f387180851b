"""The pages of evidence: the index of claims, verdicts, generations, and the list of labs."""

from collections.abc import Iterator

from book.sources import CLAIM, briefs, questions, slug
from helpers.suite.notebooks import changes, page
from helpers.suite.notebooks.changes import page as changed
from helpers.suite.notebooks.page import INTRODUCTION
from helpers.suite.notebooks.table import as_sentence, escape

VERDICTS = """\
# Verdicts

Every claim of the notebooks. A ✓ under a generation of RabbitMQ means that this claim's card,
exactly as the notebook shows it, was measured there. A · means that it was not, or not since the
card changed. The [runs](#runs) are listed at the end. [What changed with RabbitMQ
4](rabbitmq-4.md) has the claims whose outcome depends on the generation."""
GENERATIONS = """\
# Which interview answers changed with RabbitMQ 4

An answer that was right for RabbitMQ 3 may be wrong for the version that you are asked about. This
page has the answers that changed between the generations measured here."""


def index() -> str:
    """Return the index of claims: where each is measured, and which answers stand on it."""
    parts = [
        "# Index of claims",
        "An id leads to the cell that measures the claim. The last columns have what stands on it:"
        " the wrong answers that it refutes, and the questions whose drills need it.",
    ]
    for question in questions():
        lines = ["| claim | sentence | verdict | refutes | needed in |", "|---|---|---|---|---|"]
        for row in question.rows:
            texts = map(escape, (as_sentence(row.sentence), row.claim.verdict))
            cells = [row.claim.id, *texts, " ".join(_refuted(row.claim.id)), _drills(row.claim.id)]
            lines.append(f"| {' | '.join(cells)} |")
        parts += [f"## {question.heading}", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _refuted(claim: str) -> Iterator[str]:
    for question in questions():
        for wrong in question.drill.wrong_answers:
            if claim in wrong.claims:
                yield wrong.says.replace("|", r"\|")


def _drills(claim: str) -> str:
    found = {
        f"[Q{question.number} {card.level}](/drills/{card.level}.md#{slug(question.heading)})": None
        for question in questions()
        for card in question.drill.follow_ups
        if claim in CLAIM.findall(card.answer)
    }
    return ", ".join(found)


def verdicts() -> str:
    """Return the page of verdicts."""
    return page().replace(INTRODUCTION, VERDICTS, 1)


def generations() -> str:
    """Return the page of what changed with RabbitMQ 4."""
    return changed().replace(changes.INTRODUCTION, GENERATIONS, 1)


def labs() -> str:
    """Return the list of labs."""
    lines = ["| lab | brief | time | learn it in |", "|--:|---|---|---|"]
    learnt = {question.number: question for question in questions()}
    for number, lab in briefs().items():
        question = learnt[number]
        lines.append(
            f"| {number} | {lab.link} | {lab.minutes}\u00a0min | {question.link(question.title)} |"
        )
    return f"""\
# Labs

A notebook shows how; in a lab you do it yourself. A brief says what must hold. Your code runs on
the live broker, and is killed, cut off and held up at every point once: `make check LAB=05` judges
it, and answers with the smallest history that breaks a requirement.

{chr(10).join(lines)}
"""
