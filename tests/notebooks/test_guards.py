"""Every notebook passes every guard, and every guard fails on a notebook made to break it."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from nbformat import NotebookNode, v4

from helpers.claims.card import Card
from helpers.claims.checking import LONGEST_EVIDENCE
from helpers.machine.paths import ROOT, notebooks
from helpers.suite.notebooks import CHECK_TAG, SURPRISE_TAG, find, page, readme_table
from helpers.suite.notebooks.figure import FILE, stored_figure
from helpers.suite.notebooks.page import FILE as PAGE
from helpers.suite.notebooks.readme import BEGIN, END
from tests.notebooks.guards import GUARDS, Book, Guard, anatomy, content, form, turns
from tests.support.cards import card, shown
from tests.support.example_notebook import FOLLOW_UPS, cell, example

BY_NAME = {guard.__name__: guard for guard in GUARDS}
FIRST_CARD = FOLLOW_UPS.partition("</details>\n")[0] + "</details>\n"
BY_GENERATION = 'claims.by_generation("nack", says=4, measured=4, seen={"3.10": 4})'
SEEN = 'claims.by_generation("nack", says=4, measured=4, seen=table)'
Change = Callable[[NotebookNode], object]


def test_notebooks_are_numbered_without_gaps_and_each_has_its_sabotages():
    questions = [path.name[:3] for path in find()]
    assert questions == [f"q{number:02}" for number in range(1, len(questions) + 1)]
    sabotages = sorted((ROOT / "tests" / "slow" / "sabotage").glob("q*.py"))
    assert [path.stem for path in sabotages] == questions, "each notebook has its sabotages"
    assert find() == list(notebooks().values())


@pytest.mark.parametrize("guard", BY_NAME)
@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_notebook_passes(path, guard):
    assert BY_NAME[guard](Book.read(path)) == []


TABLES_ARE_OLD = "run `make verdicts`, or without running anything: make verdicts ARGS=--stored"


def test_the_readme_shows_the_notebooks_titles_and_verdicts():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n{readme_table()}\n{END}" in readme, TABLES_ARE_OLD


def test_the_page_of_verdicts_shows_the_notebooks_claims_and_the_recorded_runs():
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), TABLES_ARE_OLD


def test_the_readme_shows_the_notebooks_figure():
    assert (ROOT / FILE).read_bytes() == stored_figure(), "run `make notebooks`"
    assert f"({FILE})" in (ROOT / "README.md").read_text()


def set_source(name: str, source: str) -> Change:
    return lambda nb: cell(nb, name).update(source=source)


def set_words(name: str, old: str, new: str) -> Change:
    def change(nb: NotebookNode) -> None:
        assert old in cell(nb, name).source
        cell(nb, name).source = cell(nb, name).source.replace(old, new)

    return change


def set_text(name: str, text: str, stream: str = "stdout") -> Change:
    output = {"output_type": "stream", "name": stream, "text": text}
    return lambda nb: cell(nb, name).outputs.append(NotebookNode(output))


def set_data(name: str, kind: str, value: str) -> Change:
    output = {"output_type": "display_data", "data": NotebookNode({kind: value}), "metadata": {}}
    return lambda nb: cell(nb, name).outputs.append(NotebookNode(output))


def show(name: str, shown_card: Card) -> Change:
    return lambda nb: cell(nb, name).update(outputs=[shown(shown_card)])


def set_tags(name: str, *tags: str) -> Change:
    return lambda nb: cell(nb, name).metadata.update(tags=list(tags))


def remove(name: str) -> Change:
    return lambda nb: nb.cells.remove(cell(nb, name))


def error_output(nb: NotebookNode) -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "x", "traceback": []}
    cell(nb, "step-1").outputs = [NotebookNode(error)]


def swap_sections(nb: NotebookNode) -> None:
    one, other = cell(nb, "model"), cell(nb, "predict")
    one.source, other.source = other.source, one.source


def add_beyond(*tags: str, link: bool = True, before: str = "clean-up") -> Change:
    def change(nb: NotebookNode) -> None:
        place = nb.cells.index(cell(nb, before))
        added = v4.new_code_cell("run_it()", id="beyond-run", metadata={"tags": list(tags)})
        nb.cells[place:place] = [v4.new_markdown_cell(f"## {anatomy.BEYOND}", id="beyond"), added]
        if link:
            cell(nb, "model").source += f"\n\nSee [there{anatomy.LINK_BEYOND}."

    return change


BROKEN: list[tuple[Guard, str, Change]] = [
    (form.is_valid, "bad output", lambda nb: cell(nb, "step-1").outputs.append(NotebookNode(a=1))),
    (form.is_normalised, "cell metadata", lambda nb: cell(nb, "step-1").metadata.update(x=1)),
    (form.is_normalised, "notebook metadata", lambda nb: nb.metadata.update(widgets={})),
    (form.is_normalised, "random id", lambda nb: cell(nb, "step-1").update(id="1a2b3c4d")),
    (form.has_run_in_order, "no count", lambda nb: cell(nb, "step-1").update(execution_count=None)),
    (form.has_run_in_order, "run late", lambda nb: cell(nb, "step-1").update(execution_count=99)),
    (form.has_clean_outputs, "error", error_output),
    (form.has_clean_outputs, "stderr", set_text("step-1", "warning", "stderr")),
    (form.has_clean_outputs, "svg", set_data("step-1", "image/svg+xml", "<svg/>")),
    (form.has_clean_outputs, "long", set_text("step-1", "line\n" * 26)),
    (form.has_clean_outputs, "long table", set_data("step-1", "text/plain", "row\n" * 26)),
    (form.has_small_files, "figure", set_data("step-1", "image/png", "A" * 140_000)),
    (form.names_no_machine, "home", set_text("step-1", "/home/ada/lab")),
    (form.names_no_machine, "port", set_source("step-1", "url = 'http://localhost:15672'")),
    (form.names_no_machine, "html", set_data("step-1", "text/html", "<b>/tmp/x</b>")),
    (form.names_no_machine, "node", set_source("title", "# Q2 · rabbit@ada")),
    (anatomy.has_sections_in_order, "order", swap_sections),
    (anatomy.has_sections_in_order, "missing", remove("trade-offs")),
    (anatomy.has_sections_in_order, "title", set_source("title", "# Question two")),
    (anatomy.has_sections_in_order, "number", set_source("title", "# Q3 · What?")),
    (anatomy.has_sections_in_order, "no experiment", set_words("experiments", "### One", "One")),
    (anatomy.has_sections_in_order, "heading inside", set_words("model", "## M", "Text\n\n## M")),
    (anatomy.has_sections_in_order, "beyond first", add_beyond("needs-cluster", before="drill")),
    (
        anatomy.keeps_only_the_cluster_beyond,
        "no link",
        add_beyond("experiment", "needs-cluster", link=False),
    ),
    (anatomy.keeps_only_the_cluster_beyond, "no cluster", add_beyond("experiment")),
    (anatomy.keeps_only_the_cluster_beyond, "only prose", add_beyond()),
    (anatomy.has_measured_sizes, "long cell", set_source("step-1", "x = 1\n" * 31)),
    (anatomy.has_measured_sizes, "two at 21", set_source("step-1", "x = 1\n" * 21)),
    (anatomy.has_measured_sizes, "few words", set_source("prose", "Few words.")),
    (anatomy.has_measured_sizes, "many words", set_source("prose", "word " * 3801)),
    (anatomy.has_measured_sizes, "long read", set_source("prose", "word " * 1701)),
    (anatomy.has_measured_sizes, "few figures", lambda nb: cell(nb, "figure-1").update(outputs=[])),
    (anatomy.has_prose_between_code, "four in a row", remove("between-3")),
    (
        anatomy.has_short_answer,
        "long",
        set_source("short-answer", "## Short answer\n" + "a " * 121),
    ),
    (anatomy.has_short_answer, "empty", set_source("short-answer", "## Short answer\n")),
    (anatomy.has_drill, "headings", set_words("drill", "### Follow-ups", "### Questions")),
    (anatomy.has_drill, "level", set_words("drill", "[staff]", "[expert]")),
    (anatomy.has_drill, "unreadable", set_words("drill", "<summary>[staff]", "<summary>")),
    (anatomy.has_drill, "no claim", set_words("drill", "| q02.5 |", "| it is wrong |")),
    (anatomy.has_drill, "unknown claim", set_words("drill", "| q02.5 |", "| q02.9 |")),
    (anatomy.has_drill, "no senior", set_words("drill", "[senior]", "[staff]")),
    (anatomy.has_drill, "short answer", set_words("drill", "Said in two minutes. ", "Said. ")),
    (anatomy.has_drill, "few cards", set_words("drill", FIRST_CARD, "")),
    (anatomy.has_drill, "no proper answer", set_words("drill", "An answer. ", "An ")),
    (anatomy.has_drill, "no proof", set_words("drill", "(q02.1)\n</details>", "\n</details>")),
    (anatomy.has_drill, "few rows", set_words("drill", "| wrong 5 | why | q02.5 |", "")),
    (turns.has_turns, "two turns", set_tags("turn-1")),
    (turns.has_turns, "no knob", set_words("turn-1", "# your turn", "# set it")),
    (turns.has_turns, "not judged", set_words("turn-1", "predict.your_turn", "print")),
    (turns.has_turns, "no hint", set_words("solution-1", "Hint", "Help")),
    (turns.has_turns, "no solution", set_words("solution-1", "size = 3", "three")),
    (turns.has_turns, "another name", set_words("solution-1", "size = 3", "number = 3")),
    (turns.has_turns, "one key twice", set_words("turn-1", "turn-1", "turn-2")),
    (turns.has_turns, "another notebook", set_words("turn-1", "q02", "q03")),
    (content.has_checked_claims, "no output", lambda nb: cell(nb, "check-1").update(outputs=[])),
    (content.has_checked_claims, "more than a card", set_text("check-1", "more\n")),
    (content.has_checked_claims, "another card", show("check-1", card("q02.2"))),
    (content.has_checked_claims, "not checked", show("check-1", replace(card(), note="2026"))),
    (content.has_checked_claims, "untagged", set_tags("check-1")),
    (content.has_checked_claims, "another id", set_words("check-1", "q02.1", "q02.6")),
    (content.has_checked_claims, "no claim", set_source("check-1", "print('q02.1 holds: x')")),
    (
        content.has_checked_claims,
        "not run",
        lambda nb: cell(nb, "check-1").update(execution_count=None),
    ),
    (
        content.shows_whole_evidence,
        "too long",
        show("check-1", replace(card(), evidence="x" * (LONGEST_EVIDENCE + 1))),
    ),
    (
        content.shows_whole_evidence,
        "cut off",
        show("check-1", replace(card(), evidence="40 copies, …")),
    ),
    (content.claims_each_once, "missing", remove("check-1")),
    (content.claims_each_once, "twice", set_words("check-1", "q02.1", "q02.2")),
    (content.claims_each_once, "another question's", set_words("check-1", "q02.1", "q03.1")),
    (content.claims_each_once, "a gap", set_words("check-5", "q02.5", "q02.6")),
    (content.has_one_surprise, "none", set_tags("check-1", CHECK_TAG)),
    (content.has_one_surprise, "two", set_tags("check-2", CHECK_TAG, SURPRISE_TAG)),
    (content.has_one_surprise, "no claim", set_tags("step-1", SURPRISE_TAG)),
    (content.compares_every_generation, "one", set_words("check-1", "case", BY_GENERATION)),
    (content.compares_every_generation, "not written out", set_words("check-1", "case", SEEN)),
    (content.ends_with_claims_table, "no table", set_words("table", "claims.table()", "1")),
    (content.ends_with_claims_table, "not shown", lambda nb: cell(nb, "table").update(outputs=[])),
    (content.ends_with_claims_table, "not all", set_words("check-1", "q02.1", "q02.7")),
    (content.has_known_tags, "unknown", set_tags("step-1", "slow")),
    (
        content.has_known_tags,
        "no need",
        set_source("step-1", "stored.result('a', f)"),
    ),
    (content.has_known_tags, "not first", set_tags("step-1", "measures-rates")),
    (content.has_known_tags, "no experiment", set_tags("experiment")),
    (content.leaves_the_guess_open, "guess", set_text("step-1", "q02.1 Copies? Your guess: 3.")),
    (content.has_plain_code, "star", set_source("step-1", "from helpers import *")),
    (content.has_plain_code, "path", set_source("step-1", "import sys\nsys.path.append('.')")),
    (content.has_plain_code, "pip", set_source("step-1", "!pip install pika")),
    (content.has_plain_code, "semicolon", set_source("step-1", "x = 1;")),
    (content.has_plain_code, "sleep", set_source("step-1", "time.sleep(1)")),
    (content.has_plain_code, "bare sleep", set_source("step-1", "sleep(1)  # wait")),
    (content.has_plain_code, "to do", set_source("step-1", "x = 1  # TODO")),
    (content.shows_figures_plainly, "no show", set_source("figure-1", "axes = 1")),
    (content.shows_figures_plainly, "other call", set_source("figure-1", "fig.savefig('x')")),
]


@pytest.mark.parametrize("guard", BY_NAME)
def test_the_example_passes(guard):
    assert BY_NAME[guard](example()) == []


@pytest.mark.parametrize(
    ("guard", "change"),
    [(guard, change) for guard, _, change in BROKEN],
    ids=[f"{guard.__name__}-{what}" for guard, what, _ in BROKEN],
)
def test_a_guard_fails_on_a_broken_notebook(guard, change):
    book = example()
    change(book.nb)
    assert guard(Book(book.nb, book.name, book.size_bytes)) != []


def test_every_guard_is_shown_to_fail():
    assert {guard for guard, _, _ in BROKEN} == set(GUARDS)


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_a_cell_that_was_copied_with_its_id_is_named(tmp_path):
    nb = example().nb
    copied = cell(nb, "step-1")
    nb.cells.insert(nb.cells.index(copied) + 1, copy.deepcopy(copied))
    path = tmp_path / "q02_example.ipynb"
    path.write_text(json.dumps(nb), encoding="utf-8")
    for guard in (form.is_valid, form.is_normalised):
        assert guard(Book.read(path)) == ["cell id 'step-1' stands twice"]


def test_a_large_file_is_found():
    book = example()
    assert form.has_small_files(Book(book.nb, book.name, 500_001)) != []


@pytest.mark.parametrize("stands_for", ["the work", "the pace", "the delay on trial", "hangs here"])
def test_a_sleep_that_says_what_it_stands_for_may_stay(stands_for):
    book = example()
    cell(book.nb, "step-1").source = f"time.sleep(service_time_s)  # {stands_for}"
    assert content.has_plain_code(book) == []


def test_what_needs_a_cluster_may_stand_behind_the_drill():
    book = example()
    add_beyond("experiment", "needs-cluster")(book.nb)
    for guard in (anatomy.has_sections_in_order, anatomy.keeps_only_the_cluster_beyond):
        assert guard(replace(book)) == []
    assert anatomy.has_drill(replace(book)) == []


def test_each_example_is_a_new_one():
    before = copy.deepcopy(example().nb)
    cell(example().nb, "step-1").source = "changed"
    assert example().nb == before
