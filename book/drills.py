"""The pages for practice: drills by level, what candidates get wrong, and the glossary."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from book.sources import MODEL, Question, briefs, claims, questions
from helpers.suite.drill import PARTS
from helpers.suite.notebooks.table import as_sentence, escape
from labs.judge import misconceptions
from labs.judge.model import load
from practice import gaps

BOLD = re.compile(r"\*\*(.+?)\*\*")
DEFINED = re.compile(r"(?=\*\*[^*]+\*\*: )")  # "**ready**: …"
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`*\"(])")
MOST_WORDS = 4  # more, or a full stop, are a statement, no term
ITEM = re.compile(r"\n\s*\n|\n(?=- |\d+\. )")


def level(name: str) -> str:
    """Return the page with the follow-ups of one level, answers folded.

    Args:
        name: one of `helpers.suite.drill.LEVELS`.
    """
    parts = []
    count = 0
    for question in questions():
        asked = [card for card in question.drill.follow_ups if card.level == name]
        count += len(asked)
        if asked:
            two_minutes = question.link("its two-minute answer", PARTS[0])
            parts += [f"## {question.heading}", f"First say {two_minutes} aloud."]
        parts += [
            f"<details><summary>{card.question}</summary>\n\n{card.answer}\n\n</details>"
            for card in asked
        ]
    introduction = (
        f"# Drill: {name} level\n\nAnswer aloud, then unfold. There are {count} follow-ups, by"
        " question; a claim's id leads to the experiment that measured it."
    )
    return "\n\n".join([introduction, *parts]) + "\n"


def wrong() -> str:
    """Return the page of misconceptions: wrong answers by question, then beliefs of lab code."""
    parts = [
        "# What candidates get wrong",
        "Each of these was said in an interview or written into code. Below it stands what is"
        " wrong, and the claim that refutes it with what was measured.",
    ]
    for question in questions():
        parts.append(f"## {question.heading}")
        for row in question.drill.wrong_answers:
            parts += [f"### {row.says}", row.why, _refuted(row.claims)]
    parts += [
        "## Beliefs that labs find in code",
        "The check of a lab names the belief behind a requirement that does not hold. Some are"
        " found in several labs:",
    ]
    parts += _beliefs(misconceptions.SHARED, None)
    for number, lab in briefs().items():
        own = load(number).beliefs
        if any(not says.startswith(gaps.NO_BELIEF) for says in own.values()):
            parts += [f"### Lab {number} · {lab.title}", *_beliefs(own, number)]
    return "\n\n".join(parts) + "\n"


def _beliefs(table: Mapping[str, str], lab: int | None) -> Iterator[str]:
    for name, says in table.items():
        if not says.startswith(gaps.NO_BELIEF):
            refuting = _refuted(gaps.refuted_by(lab, name)) or "- the lab's check shows it"
            yield f"**“{as_sentence(says)}”**\n\n{refuting}"


def _refuted(names: Sequence[str]) -> str:
    lines = []
    for name in names:
        _, row = claims()[name]
        said = escape(as_sentence(row.sentence))
        lines.append(
            f"- {name} “{said}”: {escape(row.claim.verdict)}. {escape(row.claim.evidence)}"
        )
    return "\n".join(lines)


def glossary() -> str:
    """Return the page of terms, each with what the Model sections say about it."""
    found: dict[str, list[tuple[str, str, Question]]] = defaultdict(list)
    for question in questions():
        for term, text in defined(question.section(MODEL)):
            found[term.lower()].append((term, text, question))
    parts = [
        "# Glossary",
        "The terms of the notebooks, in the words of their sections *Model*.",
    ]
    for key in sorted(found):
        lines = [
            f": {text} ({question.link(f'Q{question.number}', MODEL)})"
            for _, text, question in found[key]
        ]
        term = found[key][0][0]
        parts.append("\n".join([f"{term[0].upper()}{term[1:]}", *lines]))
    return "\n\n".join(parts) + "\n"


def defined(model: str) -> Iterator[tuple[str, str]]:
    """Yield each term of a Model section with the sentences that define it.

    Args:
        model: the section; a term is in bold, alone before a colon or inside a sentence.
    """
    for block in ITEM.split(model):
        text = " ".join(re.sub(r"^\s*(?:- |\d+\. )", "", block).split())
        if text.startswith("|"):  # a table
            continue
        for part in _definitions(text):
            for term in BOLD.findall(part):
                if len(term.split()) <= MOST_WORDS and not term.endswith("."):
                    yield term, part.removeprefix(f"**{term}**: ")


def _definitions(text: str) -> list[str]:
    """Split a paragraph before each sentence with a term; other sentences belong to the last."""
    found: list[str] = []
    for part in (DEFINED if DEFINED.search(text) else SENTENCE).split(text):
        if found and not BOLD.search(part):
            found[-1] += f" {part}"
        elif BOLD.search(part):
            found.append(part.strip())
    return found
