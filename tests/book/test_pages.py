"""The pages of the book: all that the sources have is on them, and nothing of the instructor's."""

import re

import pytest

from book import drills, evidence, figures, start
from book.sources import briefs, claims, questions
from book.staging import Stage
from helpers.machine.paths import ROOT
from helpers.suite.drill import LEVELS
from labs.judge import misconceptions
from labs.judge.instructor.proof import solutions
from labs.judge.model import load
from practice import gaps
from tests.slow.browser.judge import stored_figures


@pytest.mark.parametrize("level", LEVELS)
def test_a_drill_has_the_follow_ups_of_its_level_and_no_others(level):
    page = drills.level(level)
    for question in questions():
        for card in question.drill.follow_ups:
            folded = f"<details><summary>{card.question}</summary>\n\n{card.answer}"
            assert (folded in page) is (card.level == level)


def test_each_misconception_stands_with_its_reason_and_the_claims_that_refute_it():
    page = drills.wrong()
    for question in questions():
        for row in question.drill.wrong_answers:
            part = page.partition(f"### {row.says}\n")[2].partition("\n#")[0]
            assert row.why in part
            assert all(f"- {name} “" in part for name in row.claims)
    own = {says for number in briefs() for says in load(number).beliefs.values()}
    for says in {*misconceptions.SHARED.values(), *own}:
        assert (says[1:] in page) is not says.startswith(gaps.NO_BELIEF)


def test_a_belief_that_no_experiment_is_about_says_so():
    part = drills.wrong().partition("“What a process remembers survives the process”")[2]
    assert part.splitlines()[2] == "- the lab's check shows it"


def test_the_index_has_each_claim_with_what_stands_on_it():
    rows = {line.split(" | ")[0][2:]: line for line in evidence.index().splitlines()
            if line.startswith("| q")}  # fmt: skip
    assert list(rows) == list(claims())
    wrong = next(row for question in questions() for row in question.drill.wrong_answers)
    assert wrong.says in rows[wrong.claims[0]]
    needed = [line for line in rows.values() if "/drills/senior.md#q9--what-is-prefetch" in line]
    assert needed


def test_the_verdicts_page_says_nothing_about_other_ways_to_read_it():
    for page in (evidence.verdicts(), evidence.generations()):
        assert "GitHub" not in page
        assert "make verdicts" not in page
        assert page.startswith("# ")


def test_terms_are_found_with_their_sentences():
    model = (
        "- **ready**: waits. Still. **unacked**: sent.\n- A **DLX** is an exchange. It is plain."
        "\n\n| **no** | term |\n\nNothing here. **A statement that is no term** at all."
        " **It is one.** So."
    )
    assert list(drills.defined(model)) == [
        ("ready", "waits. Still."), ("unacked", "sent."),
        ("DLX", "A **DLX** is an exchange. It is plain."),
    ]  # fmt: skip


def test_the_glossary_links_each_term_to_its_model():
    page = drills.glossary()
    assert "\nPrefetch P\n: at most P unacked messages for one consumer." in page
    assert page.count("#model)") == page.count("\n: ") > 20


@pytest.mark.parametrize("question", questions(), ids=repr)
def test_each_figure_says_what_is_seen(question):
    texts = figures.alternatives(question.nb)
    drawing = [
        cell.id
        for cell in question.nb.cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
    ]
    assert list(texts) == drawing
    assert 0 < len(drawing) <= stored_figures(question.nb)
    for text in texts.values():
        assert re.match(r"Figure: \S+ \S+ .{10}", text)


def test_a_figure_s_text_has_what_its_section_measured():
    question = next(one for one in questions() if one.name == "q09")
    texts = figures.alternatives(question.nb)
    assert texts["model-clock"] == (
        "Figure: a worker's use of time, a pair of lanes for each prefetch."
    )
    assert " q09.1: " in texts["limit-run"]


def test_the_start_page_has_a_way_for_an_evening_a_week_and_staff_level():
    page = start.page(instructors=False)
    for heading in ("One evening", "One week", "Staff level"):
        assert f"## {heading}\n" in page
    assert all(question.link(question.title) in page for question in questions())
    assert all(f"{lab.link} ({lab.minutes} min)" in page for lab in briefs().values())
    assert "instructors" not in page
    assert "/labs/lab05_payments/guide" in start.page(instructors=True)


@pytest.fixture(scope="module")
def learners(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    stage = Stage(folder, instructors=False)
    stage.write()
    return stage


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("[b](../labs/lab05_payments/brief.ipynb)", "[b](/labs/lab05_payments/brief.ipynb)"),
        ("[lab](../labs/lab05_payments/)", "[lab](/labs/lab05_payments/brief.ipynb)"),
        ("[v](../docs/verdicts.md#runs)", "[v](/docs/verdicts.md#runs)"),
        ("[c](q09_prefetch.ipynb#cell-id=A-b)", "[c](/notebooks/q09_prefetch.ipynb#cell-id=A-b)"),
        ("[here](#Beyond-one-machine)", "[here](#beyond-one-machine)"),
        ("[code](../helpers/incidents.py)", "[code](/files/helpers/incidents.py.md)"),
        ("[guide](../labs/lab05_payments/guide.md)", "guide"),
        ("[hidden](../labs/lab01_event_bus/check.py)", "hidden"),
        ("[data](../docs/verdicts.json)", "data"),
        ("[out](https://www.rabbitmq.com/docs)", "[out](https://www.rabbitmq.com/docs)"),
        ("```\n[x](y)\n```", "```\n[x](y)\n```"),
        (
            "<summary>Is `a.b` one? `c`</summary> `d`",
            "<summary>Is <code>a.b</code> one? <code>c</code></summary> `d`",
        ),
    ],
)
def test_links_lead_to_pages_of_the_edition_or_are_text(learners, link, becomes):
    assert learners.with_links(link, "notebooks/q01_event_driven.ipynb") == becomes


def test_the_learners_sources_have_nothing_of_the_instructors(learners):
    texts = {path: path.read_text(encoding="utf-8") for path in learners.folder.rglob("*.*")}
    names = [path.name for path in texts]
    assert len(names) > 30
    assert not {"guide.md", "answers.md", "instructors.md", "hidden.py.md"} & set(names)
    everything = "\n".join(texts.values())
    for number in briefs():
        starter, *others = solutions(number)
        given = starter.path.read_text(encoding="utf-8")
        for solution in others:
            own = [line for line in solution.path.read_text(encoding="utf-8").splitlines()
                   if len(line.strip()) > 45 and line not in given]  # fmt: skip
            held = sum(line.strip() in everything for line in own)
            assert held <= max(2, len(own) // 3), solution.path
        guide = (ROOT / load(number).folder / "guide.md").read_text(encoding="utf-8")
        paragraphs = [text for text in guide.split("\n\n") if len(text) > 200]
        assert paragraphs
        assert [text for text in paragraphs if text in everything] == []
