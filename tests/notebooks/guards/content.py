"""Guards of a notebook's claims and of the code that a reader copies from it."""

import ast
import re

from helpers.claims.checking import LONGEST_EVIDENCE
from helpers.rabbitmq.generations import GENERATIONS
from helpers.services import SERVICES
from helpers.suite.notebooks import (
    CHECK_TAG,
    EXPERIMENT_TAG,
    SURPRISE_TAG,
    claim_ids,
)
from helpers.suite.notebooks.cards import RATES_TAG, cell_claims
from tests.notebooks.guards.anatomy import SECTIONS
from tests.notebooks.guards.book import Book, figures, in_cell, tags, texts
from tests.support.turns import TURN_TAG

TAGS = {CHECK_TAG, SURPRISE_TAG, EXPERIMENT_TAG, RATES_TAG, TURN_TAG, *SERVICES}
FORBIDDEN = {
    "a star import": re.compile(r"^\s*from .* import \*", re.MULTILINE),
    "sys.path": re.compile(r"\bsys\.path\b"),
    "pip": re.compile(r"^\s*[!%]\s*(?:pip|conda)\b|\bpip3? install\b", re.MULTILINE),
    "a line that ends with a semicolon": re.compile(r";[ \t]*(?:#.*)?$", re.MULTILINE),
    "a sleep that does not say what it stands for": re.compile(
        r"^(?!.*# (?:the work|the pace|the delay on trial|hangs here)\s*$)(?!\s*#).*\bsleep\(",
        re.MULTILINE,
    ),
    "something to do": re.compile(r"#.*\b(?:TODO|FIXME|XXX)\b"),
}


def has_checked_claims(book: Book) -> list[str]:
    wrong = []
    for cell in book.code:
        ids = claim_ids(cell)
        if CHECK_TAG not in tags(cell):
            if ids:
                wrong.append(in_cell(cell, f"checks {ids} without the tag {CHECK_TAG}"))
            continue
        if len(ids) != 1:
            wrong.append(in_cell(cell, f"checks {len(ids)} claims, not exactly one"))
            continue
        found = [claim.id for claim in cell_claims(cell)]
        if cell.execution_count is None or found != ids or len(cell.outputs) != 1:
            wrong.append(in_cell(cell, f"must have run and show the card of {ids[0]} alone"))
    return wrong


def shows_whole_evidence(book: Book) -> list[str]:
    return [
        in_cell(cell, f"{claim.id} has an evidence that is cut off or too long: {claim.evidence}")
        for cell in book.claim_cells
        for claim in cell_claims(cell)
        if len(claim.evidence) > LONGEST_EVIDENCE or claim.evidence.endswith("…")
    ]


def claims_each_once(book: Book) -> list[str]:
    claimed = [claim for cell in book.claim_cells for claim in claim_ids(cell)]
    wrong = [
        f"{claim} is claimed {claimed.count(claim)} times"
        for claim in sorted(set(claimed))
        if claimed.count(claim) > 1
    ]
    numbered = [f"{book.question}.{number}" for number in range(1, len(set(claimed)) + 1)]
    missing = [claim for claim in numbered if claim not in claimed]
    wrong += [f"{claim} is not claimed: ids have no gaps" for claim in missing]
    wrong += [
        f"{claim} belongs to another question"
        for claim in claimed
        if not claim.startswith(f"{book.question}.")
    ]
    return wrong if claimed else ["no claims", *wrong]


def has_one_surprise(book: Book) -> list[str]:
    surprising = [cell for cell in book.nb.cells if SURPRISE_TAG in tags(cell)]
    wrong = [
        in_cell(cell, f"has the tag {SURPRISE_TAG} and checks no claim")
        for cell in surprising
        if cell not in book.claim_cells
    ]
    if len(surprising) != 1:
        wrong.append(
            f"{len(surprising)} cells have the tag {SURPRISE_TAG}: the cell of the claim that"
            " readers expect least has it, for the README's table"
        )
    return wrong


def compares_every_generation(book: Book) -> list[str]:
    wrong = []
    for cell in book.code:
        tables = re.findall(r"\bseen=\{([^}]*)\}", cell.source)
        if len(tables) != cell.source.count("claims.by_generation("):
            wrong.append(in_cell(cell, "by_generation needs its values written out: seen={…}"))
        for table in tables:
            if re.findall(r'"(\d+\.\d+)":', table) != list(GENERATIONS):
                every = ", ".join(GENERATIONS)
                text = f"seen={{{table}}} must have a value for each of {every}"
                wrong.append(in_cell(cell, text))
    return wrong


def ends_with_claims_table(book: Book) -> list[str]:
    last = [cell for cell in book.sections.get(SECTIONS[-1], []) if cell.cell_type == "code"]
    shown = [
        text
        for cell in last
        if "claims.table()" in cell.source
        for output in cell.outputs
        for text in texts(output)
    ]
    if not shown:
        return ["the last section has no cell that shows claims.table()"]
    claimed = [claim for cell in book.claim_cells for claim in claim_ids(cell)]
    return [
        f"{claim} is not in the last section's table"
        for claim in claimed
        if not any(claim in text for text in shown)
    ]


def has_known_tags(book: Book) -> list[str]:
    wrong = [
        in_cell(cell, f"has the unknown tag {tag}")
        for cell in book.nb.cells
        for tag in tags(cell)
        if tag not in TAGS
    ]
    wrong += [
        in_cell(cell, f"{RATES_TAG} belongs on the first cell")
        for cell in book.nb.cells[1:]
        if RATES_TAG in tags(cell)
    ]
    wrong += [
        in_cell(cell, "uses a result that needs a service, and has no tag that says which")
        for cell in book.code
        if re.search(r"\bstored\.result\(|\bstored=", cell.source)
        and not SERVICES.keys() & tags(cell)
    ]
    if not any(EXPERIMENT_TAG in tags(cell) for cell in book.code):
        wrong.append(f"no cell has the tag {EXPERIMENT_TAG}")
    return wrong


def leaves_the_guess_open(book: Book) -> list[str]:
    return [
        in_cell(cell, "stores a guess, which the reader has to make")
        for cell in book.code
        for output in cell.outputs
        for text in texts(output)
        if "Your guess:" in text or "; you said " in text
    ]


def has_plain_code(book: Book) -> list[str]:
    return [
        in_cell(cell, f"has {what}")
        for cell in book.code
        for what, pattern in FORBIDDEN.items()
        if pattern.search(cell.source)
    ]


def shows_figures_plainly(book: Book) -> list[str]:
    wrong = []
    for cell in book.code:
        if not figures(cell):
            continue
        last = ast.parse(cell.source).body[-1]
        called = ast.unparse(last.value.func) if _is_call(last) else ""
        if called != "plt.show" and not called.startswith("plots."):
            wrong.append(in_cell(cell, "draws and ends neither with plt.show() nor with plots.…()"))
    return wrong


def _is_call(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
