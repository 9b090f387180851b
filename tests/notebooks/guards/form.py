"""Guards of the form in which a notebook is stored: normal, run, small, from no machine."""

import base64
import platform
import re
from collections import Counter
from pathlib import Path

import nbformat

from helpers.machine.paths import ROOT
from helpers.suite.notebooks import normalise
from tests.notebooks.guards.book import Book, figures, in_cell, texts

MACHINE_NAMES = [
    re.compile(pattern)
    for pattern in (
        r"/(?:home|root|tmp|Users|var/folders)/",
        r"[A-Za-z]:\\Users",
        r"(?:127\.0\.0\.1|localhost|\[::1\]):\d+",
        r"\brabbit(?:mq)?@\w+",
    )
]


def is_valid(book: Book) -> list[str]:
    if wrong := _same_ids(book):
        return wrong
    try:
        nbformat.validate(book.nb)
    except nbformat.ValidationError as error:
        return [f"not a valid notebook: {error.message}"]
    return []


def is_normalised(book: Book) -> list[str]:
    if wrong := _same_ids(book):
        return wrong  # what else differs comes from the second cell
    new = normalise(book.nb)
    wrong = [
        in_cell(old, "is not in normal form; run `make notebooks`")
        for old, cell in zip(book.nb.cells, new.cells, strict=True)
        if old != cell
    ]
    if book.nb.metadata != new.metadata:
        wrong.append("the notebook's metadata are not in normal form; run `make notebooks`")
    return wrong


def _same_ids(book: Book) -> list[str]:
    counts = Counter(cell.id for cell in book.nb.cells)
    return [
        f"cell id {name!r} stands {'twice' if count == 2 else f'{count} times'}"
        for name, count in counts.items()
        if count > 1
    ]


def has_run_in_order(book: Book) -> list[str]:
    counts = [cell.execution_count for cell in book.code]
    expected = list(range(1, len(counts) + 1))
    return [] if counts == expected else [f"execution counts are {counts}, not 1 … {len(counts)}"]


def has_clean_outputs(book: Book) -> list[str]:
    wrong = []
    for cell in book.code:
        for output in cell.outputs:
            if output.output_type == "error":
                wrong.append(in_cell(cell, f"stored an error: {output.ename}"))
            if output.output_type == "stream" and output.name == "stderr":
                wrong.append(in_cell(cell, "has text on stderr"))
            if "image/svg+xml" in output.get("data", {}):
                wrong.append(in_cell(cell, "has an SVG; figures are PNG"))
        shown = [o.get("text", o.get("data", {}).get("text/plain", "")) for o in cell.outputs]
        lines = sum(len(text.splitlines()) for text in shown)
        if lines > 25:
            wrong.append(in_cell(cell, f"has {lines} lines of output, more than 25"))
    return wrong


def has_small_files(book: Book) -> list[str]:
    wrong = []
    if book.size_bytes > 500_000:
        wrong.append(f"the file has {book.size_bytes // 1000} KB, more than 500")
    for cell in book.code:
        for figure in figures(cell):
            size_bytes = len(base64.b64decode(figure))
            if size_bytes > 100_000:
                wrong.append(in_cell(cell, f"a figure has {size_bytes // 1000} KB, more than 100"))
    return wrong


def names_no_machine(book: Book) -> list[str]:
    own = [name for name in (str(ROOT), str(Path.home())) if len(name) > 5]
    # A host name that is a plain word, such as "localhost", may well stand in a sentence.
    own += [name for name in [platform.node()] if re.search(r"[\d.-]", name)]
    patterns = MACHINE_NAMES + [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in own]
    wrong = []
    for cell in book.nb.cells:
        outputs = [text for output in cell.get("outputs", []) for text in texts(output)]
        for text in [cell.source, *outputs]:
            hits = [match[0] for pattern in patterns if (match := pattern.search(text))]
            wrong += [in_cell(cell, f"names a place on a machine: {hit}") for hit in hits]
    return wrong
