"""The start page: the questions, and ways through them for an evening, a week and staff level."""

from collections.abc import Iterator

from book.sources import BEYOND, BREAK, SHORT, TRADE, Question, briefs, minutes, questions
from helpers.rabbitmq.generations import listed
from helpers.suite.drill import LEVELS, PARTS
from helpers.suite.notebooks.table import as_sentence, escape

A_DAY = 2  # questions on each day of the week's first part
TWO_MINUTES = PARTS[0]
INTRODUCTION = """\
# Rabbit Lab

Interview questions about messaging, answered by experiment on a real RabbitMQ. Each sentence of
a usual answer is put on trial; a notebook measures it and computes the verdict: **holds**,
**holds if …** or **refuted**. These pages have the notebooks with the outputs as they were
measured. Nothing runs here, and nothing is asked from the network: the pages open from a folder."""


def page(*, instructors: bool) -> str:
    """Return the start page as Markdown, with the order of all pages.

    Args:
        instructors: whether it is the instructors' edition.
    """
    parts = [
        INTRODUCTION, "## Questions", _table(), "## One evening", _evening(), "## One week",
        _week(), "## Staff level", _staff(), "## All pages", _overview(),
        *_order(instructors),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table() -> str:
    lines = ["| | question | most surprising | lab |", "|--:|---|---|---|"]
    for question in questions():
        lab = briefs().get(question.number)
        cells = [
            str(question.number), question.link(question.title), _surprise(question),
            lab.link if lab else "",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _surprise(question: Question) -> str:
    return "; ".join(
        f"“{escape(as_sentence(row.sentence))}”: {escape(row.claim.verdict)} ({row.claim.id})"
        for row in question.rows
        if row.surprising
    )


def _evening() -> str:
    shorts = [question.section(SHORT) for question in questions()]
    answers = [question.drill.two_minute_answer for question in questions()]
    wrong = [f"{row.says} {row.why}" for one in questions() for row in one.drill.wrong_answers]
    return "\n".join(
        [
            f"1. The short answers, {minutes(*shorts)} minutes: {_each(SHORT)}.",
            "2. The most surprising claims in the table above: guess each verdict, then look.",
            f"3. The two-minute answers, {minutes(*answers)} minutes of reading; say each aloud"
            f" first: {_each(TWO_MINUTES)}.",
            f"4. [What candidates get wrong](/drills/misconceptions.md), {minutes(*wrong)}"
            " minutes: read what people say, and refute it before you read on.",
        ]
    )


def _week() -> str:
    lines = ["| day | read | do |", "|--:|---|---|"]
    days = [questions()[at : at + A_DAY] for at in range(0, len(questions()), A_DAY)]
    for day, pair in enumerate(days, 1):
        reading = " and ".join(question.link(f"Q{question.number}") for question in pair)
        labs = [lab for question in pair if (lab := briefs().get(question.number))]
        doing = " or ".join(f"{lab.link} ({lab.minutes} min)" for lab in labs)
        lines.append(f"| {day} | {reading} | {doing} |")
    after = len(days) + 1
    lines += [
        f"| {after} | [what candidates get wrong](/drills/misconceptions.md),"
        " [what changed with RabbitMQ 4](/docs/rabbitmq-4.md) | the drills of your"
        f" level: {_levels()} |",
        f"| {after + 1} | your own gaps: `make progress` names them | `make interview` |",
    ]
    return "\n".join(lines) + "\n\nEach evening, `make practice` asks ten minutes of what is due."


def _staff() -> str:
    lines = []
    for question in questions():
        sections = [name for name in (BREAK, TRADE, BEYOND) if question.section(name)]
        links = " · ".join(question.link(name.lower(), name) for name in sections)
        lines.append(f"{question.number}. {question.title}: {links}")
    return (
        "You are asked what fails, what it costs, and what you would choose otherwise. Read the"
        f" sections below, [the staff drill](/drills/{LEVELS[-1]}.md), and [what changed with"
        " RabbitMQ 4](/docs/rabbitmq-4.md): an answer that was right for RabbitMQ 3 may be wrong"
        f" now.\n\n{chr(10).join(lines)}"
    )


def _overview() -> str:
    return "\n".join(
        [
            f"- Drills: {_levels()}; [what candidates get wrong](/drills/misconceptions.md);"
            " [glossary](/drills/glossary.md)",
            "- Evidence: [index of claims](/docs/claims.md); [verdicts](/docs/verdicts.md) on"
            f" RabbitMQ {listed()}; [what changed with RabbitMQ 4](/docs/rabbitmq-4.md)",
            "- [The labs' briefs](/labs/README.md)",
            "- [Search](/search.md): a word, or the id of a claim such as `q09.5`",
        ]
    )


def _levels() -> str:
    return ", ".join(f"[{level}](/drills/{level}.md)" for level in LEVELS)


def _each(heading: str) -> str:
    return " · ".join(question.link(f"Q{question.number}", heading) for question in questions())


def _order(instructors: bool) -> Iterator[str]:
    """Yield the tables of contents, which give each page its place before and after others."""
    labs = [lab.page.removesuffix(".ipynb") for lab in briefs().values()]
    yield _tree("Questions", [question.page.removesuffix(".ipynb") for question in questions()])
    drills = [f"/drills/{name}" for name in (*LEVELS, "misconceptions", "glossary")]
    yield _tree("Drills", drills)
    yield _tree("Evidence", ["/docs/claims", "/docs/verdicts", "/docs/rabbitmq-4"])
    yield _tree("Labs", ["/labs/README", *labs])
    if instructors:
        pages = [lab.replace("/brief", f"/{name}") for lab in labs for name in ("guide", "answers")]
        yield _tree("For instructors", ["/docs/instructors", *pages])
    yield _tree("Search", ["/search"])


def _tree(caption: str, pages: list[str]) -> str:
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{chr(10).join(pages)}\n```"
