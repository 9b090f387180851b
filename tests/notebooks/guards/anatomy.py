"""Guards of a notebook's anatomy: its sections, their sizes, the interview drill."""

import re
from itertools import takewhile

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite import drill
from helpers.suite.notebooks import CHECK_TAG, EXPERIMENT_TAG, claim_ids, title
from tests.notebooks.guards.book import (
    Book,
    claims_of_notebooks,
    code_lines,
    count_words,
    figures,
    headings_in,
    in_cell,
    tags,
    unfolded,
)
from tests.support.turns import TURN_TAG

SECTIONS = [
    "Short answer",
    "Setup",
    "Model",
    "Predict",
    "Experiments",
    "Break it",
    "Trade-offs",
    "Interview drill",
    "Beyond one machine",  # only where there is an experiment that needs a cluster
    "Clean-up and sources",
]
BEYOND = SECTIONS[-2]
LINK_BEYOND = "](#Beyond-one-machine)"

PROOF = re.compile(r"\bq\d\d\.\d+\b|\]\(https://")
LONGEST_READ = 1700  # words before the drill


def has_sections_in_order(book: Book) -> list[str]:
    sections = [heading for cell in book.nb.cells for heading in headings_in(cell, level=2)]
    expected = [name for name in SECTIONS if name != BEYOND or name in sections]
    wrong = [] if sections == expected else [f"sections are {sections}, not {expected}"]
    try:
        title(book.nb)
        if f"# Q{int(book.question[1:])} · " not in book.nb.cells[0].source:
            wrong.append(f"the title's number is not that of the file's name, {book.name}")
    except UsageError as error:
        wrong.append(str(error))
    if not any(headings_in(cell, level=3) for cell in book.sections.get("Experiments", [])):
        wrong.append("the section Experiments has no experiments, each under a heading ###")
    wrong += [
        in_cell(cell, "a section's heading must be its cell's first line")
        for cell in book.markdown
        if headings_in(cell, level=2) and not cell.source.startswith("## ")
    ]
    return wrong


def keeps_only_the_cluster_beyond(book: Book) -> list[str]:
    """What stands behind the drill needs a cluster, and the main line leads to it."""
    beyond = book.sections.get(BEYOND)
    if beyond is None:
        return []
    wrong = [
        in_cell(cell, f"stands under {BEYOND} and does not need a cluster")
        for cell in beyond
        if {CHECK_TAG, EXPERIMENT_TAG, TURN_TAG} & set(tags(cell))
        and "needs-cluster" not in tags(cell)
    ]
    if not any("needs-cluster" in tags(cell) for cell in beyond):
        wrong.append(f"nothing under {BEYOND} needs a cluster")
    if not any(LINK_BEYOND in cell.source for cell in _before_the_drill(book)):
        wrong.append(f"no link before the drill leads to {BEYOND}: {LINK_BEYOND}")
    return wrong


def has_measured_sizes(book: Book) -> list[str]:
    if not book.code:
        return ["there are no code cells"]
    # A claim's cell is a table: a row for each set-up.
    sizes = [code_lines(cell) for cell in book.code if not claim_ids(cell)]
    long = sum(size > 20 for size in sizes)
    words = sum(count_words(cell.source) for cell in book.markdown)
    read = sum(count_words(unfolded(cell.source)) for cell in _before_the_drill(book))
    drawn = sum(len(figures(cell)) for cell in book.code)
    wrong = [
        in_cell(cell, f"has {code_lines(cell)} lines of code, more than 30")
        for cell in book.code
        if code_lines(cell) > 30
    ]
    rules = {
        f"{len(book.code)} code cells, not 15 to 45": 15 <= len(book.code) <= 45,
        f"{long} cells without a claim have more than 20 lines, more than one in twenty": (
            long <= max(1, len(sizes) / 20)
        ),
        f"{words} words of prose, not 1,200 to 3,800": 1200 <= words <= 3800,
        f"{read} words before the drill, more than {LONGEST_READ}": read <= LONGEST_READ,
        f"{drawn} figures, not 2 to 7": 2 <= drawn <= 7,
    }
    return wrong + [text for text, met in rules.items() if not met]


def _before_the_drill(book: Book) -> list[NotebookNode]:
    """Return the Markdown cells before the drill."""
    before = takewhile(lambda name: name != drill.SECTION, book.sections)
    cells = [cell for name in before for cell in book.sections[name]]
    return [cell for cell in cells if cell.cell_type == "markdown"]


def has_prose_between_code(book: Book) -> list[str]:
    wrong, row = [], 0
    for cell in book.nb.cells:
        row = row + 1 if cell.cell_type == "code" else 0
        if row == 4:
            wrong.append(in_cell(cell, "is the fourth code cell in a row without prose"))
    return wrong


def has_short_answer(book: Book) -> list[str]:
    words = count_words(book.prose("Short answer"))
    return [] if 0 < words <= 120 else [f"the short answer has {words} words, not 1 to 120"]


def has_drill(book: Book) -> list[str]:
    try:
        parsed = drill.parse(book.nb, book.name)
    except UsageError as error:
        return [str(error)]
    wrong = []
    if count_words(parsed.two_minute_answer) < 100:
        wrong.append("the two-minute answer has fewer than 100 words")
    if len(parsed.follow_ups) < 8:
        wrong.append(f"{len(parsed.follow_ups)} follow-ups, not at least 8")
    absent = set(drill.LEVELS) - {card.level for card in parsed.follow_ups}
    wrong += [f"there is no follow-up of the level [{level}]" for level in sorted(absent)]
    wrong += [
        f"follow-up without a proper answer: {card.question}"
        for card in parsed.follow_ups
        if count_words(card.answer) < 10
    ]
    if len(parsed.wrong_answers) < 5:
        wrong.append(f"{len(parsed.wrong_answers)} common wrong answers, not at least 5")
    wrong += [
        f"follow-up whose answer names neither a claim nor a page: {card.question}"
        for card in parsed.follow_ups
        if not PROOF.search(card.answer)
    ]
    known = {claim for cell in book.claim_cells for claim in claim_ids(cell)}
    known |= {claim for claim in claims_of_notebooks() if not claim.startswith(book.question)}
    wrong += [
        f"a wrong answer names {claim}, which does not exist: {answer.says}"
        for answer in parsed.wrong_answers
        for claim in answer.claims
        if claim not in known
    ]
    return wrong
