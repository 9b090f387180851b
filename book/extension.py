"""What Sphinx does beyond its own: ids of cells, links of claims, formulas, the search's index."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from book.sources import CLAIM, claims
from helpers.suite.notebooks import CHECK_TAG

CELL = "cell-id={}"  # as JupyterLab names a cell in an address
INDEX = "search-index.js"
UNFOLD = '<details class="book-code"><summary>the code of this check</summary>'
NOT_LINKED = (nodes.reference, nodes.literal_block, nodes.title, nodes.raw)
NOT_SEARCHED = (nodes.section, nodes.title, nodes.raw, nodes.image)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts; Sphinx calls this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("builder-inited", _start)
    app.connect("doctree-read", _name_cells)
    app.connect("doctree-resolved", _link_claims)
    app.connect("doctree-resolved", _collect, priority=900)
    app.connect("build-finished", _write_index)
    return {"parallel_read_safe": False, "parallel_write_safe": False}


def _start(app: Sphinx) -> None:
    app.builder.search = False  # of Sphinx's own search, which shows no text from a file
    app.env.book_sections = {}


def _name_cells(_: Sphinx, doctree: nodes.document) -> None:
    """Give each cell its id, and fold the code of a check: what is read is its card."""
    for cell in doctree.findall(nodes.container):
        metadata = cell.get("cell_metadata", {})
        if name := metadata.get("book"):
            cell["ids"].append(CELL.format(name))
            if CHECK_TAG in metadata.get("tags", ()):
                code = cell.children[0]
                cell.replace(code, [_raw(UNFOLD), code, _raw("</details>")])


def _raw(html: str) -> nodes.Node:
    return nodes.raw("", html, format="html")


def _link_claims(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make each id of a claim in the text a link to its cell."""
    for text in list(doctree.findall(nodes.Text)):
        if text.parent is None or any(isinstance(one, NOT_LINKED) for one in _above(text)):
            continue
        parts = list(_linked(app, str(text), page))
        if len(parts) > 1:
            text.parent.replace(text, parts)


def _linked(app: Sphinx, text: str, page: str) -> Iterator[nodes.Node]:
    at = 0
    for match in CLAIM.finditer(text):
        if match[0] in claims():
            yield nodes.Text(text[at : match.start()])
            yield nodes.reference("", match[0], refuri=address(app, match[0], page), internal=True)
            at = match.end()
    yield nodes.Text(text[at:])


def address(app: Sphinx, claim: str, page: str) -> str:
    """Return the address of a claim's cell.

    Args:
        app: of this build.
        claim: such as "q09.5".
        page: from which it is seen; "index" gives an address from the top.
    """
    question, row = claims()[claim]
    there = question.page.removeprefix("/").removesuffix(".ipynb")
    return f"{app.builder.get_relative_uri(page, there)}#{CELL.format(row.cell)}"


def _above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _collect(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Note the text of each section for the search."""
    found = []
    for section in doctree.findall(nodes.section):
        title = next(iter(section.findall(nodes.title))).astext()
        texts = (one.astext() for one in _own(section))
        found.append([title, " ".join(" ".join(texts).split()), section["ids"][0]])
    app.env.book_sections[page] = found


def _own(node: nodes.Element) -> Iterator[nodes.Node]:
    """Yield what stands in a section, without its sections and what the outputs have."""
    for child in node.children:
        if isinstance(child, NOT_SEARCHED) or "cell_output" in getattr(child, "attributes", {}).get(
            "classes", ()
        ):
            continue
        if isinstance(child, nodes.TextElement) or not child.children:
            yield child
        else:
            yield from _own(child)


def _write_index(app: Sphinx, error: Exception | None) -> None:
    if error:
        return
    entries = [
        [f"{name} · {row.sentence}", f"{row.claim.verdict}. {row.claim.evidence}",
         question.heading, address(app, name, "index")]
        for name, (question, row) in claims().items()
    ]  # fmt: skip
    for page, sections in sorted(app.env.book_sections.items()):
        top = app.builder.get_target_uri(page)
        for n, (title, text, anchor) in enumerate(sections):
            entries.append([title, text, sections[0][0], top if n == 0 else f"{top}#{anchor}"])
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (Path(app.outdir) / INDEX).write_text(f"const BOOK = [\n{lines}\n];\n", encoding="utf-8")


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    formula = convert(node.astext(), display="block")
    translator.body.append(f'<div class="formula">{formula}</div>')
    raise nodes.SkipNode
