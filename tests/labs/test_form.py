"""The form of every lab: requirements, solutions, brief and guide."""

import ast
import re
from collections import defaultdict

import nbformat
import pytest

from helpers.machine.paths import notebooks
from labs.judge import brief, misconceptions
from labs.judge.instructor.proof import BREAKS, solutions
from labs.judge.model import Lab, load, numbers
from tests.notebooks.guards import form
from tests.notebooks.guards.book import Book

HEADINGS = ["What you write", "What must hold", "Your code", "Check", "Hints", "When it holds"]
GUIDE = ["**Time**", "**Before**", "**What goes wrong in class**", "**Demonstrate it**",
         "**Discuss**"]  # fmt: skip
ALL = [pytest.param(load(number), id=f"lab{number:02d}") for number in numbers()]


def test_each_lab_has_the_number_of_the_notebook_that_teaches_it():
    assert numbers()
    questions = {number: load(number).question for number in numbers()}
    taught = {number: notebook.stem for number, notebook in notebooks().items()}
    assert questions.items() <= taught.items()


@pytest.mark.parametrize("lab", ALL)
def test_requirements_are_plain_sentences(lab: Lab):
    assert list(lab.requirements) == [chr(ord("a") + n) for n in range(len(lab.requirements))]
    assert 4 <= len(lab.requirements) <= 8
    for sentence in lab.requirements.values():
        assert not sentence.endswith(".") and len(sentence.split()) >= 4


@pytest.mark.parametrize("lab", ALL)
def test_enough_solutions_and_each_wrong_one_has_a_reason(lab: Lab):
    known = solutions(lab.number)
    kinds = [solution.kind for solution in known]
    assert kinds.count("correct") >= 2
    assert kinds.count("wrong") >= 6
    assert kinds.count("starter") == 1
    for solution in known:
        broken = {requirement for requirement, _ in solution.breaks or ()}
        for requirement, belief in solution.breaks or ():
            assert requirement in lab.requirements
            assert lab.belief(belief)
        assert solution.unseen <= set(lab.requirements) - broken
        text = solution.path.read_text(encoding="utf-8")
        assert bool(solution.unseen) == ("Not seen:" in text.partition('"""\n\n')[0]), text[:300]
    reasons = {solution.breaks for solution in known if solution.kind == "wrong"}
    assert len(reasons) >= 6, "wrong solutions are wrong for the same reasons"
    trees = {ast.dump(ast.parse(solution.path.read_text(encoding="utf-8"))) for solution in known}
    assert len(trees) == len(known)


@pytest.mark.parametrize("lab", ALL)
def test_all_wrong_solutions_declare_what_they_break(lab: Lab):
    for path in lab.folder.glob("wrong/*.py"):
        head = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert BREAKS.search(head.partition("Breaks:")[2]), path
    for path in [*lab.folder.glob("correct/*.py"), lab.folder / "starter.py"]:
        assert "Breaks:" not in path.read_text(encoding="utf-8")


def test_one_belief_has_one_name_everywhere():
    words = defaultdict(set)
    for number in numbers():
        for name, phrase in {**misconceptions.SHARED, **load(number).beliefs}.items():
            words[name].add(phrase)
            assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert {name: uses for name, uses in words.items() if len(uses) > 1} == {}
    phrases = [phrase for uses in words.values() for phrase in uses]
    assert len(phrases) == len(set(phrases)), "two names for one belief"


@pytest.mark.parametrize("lab", ALL)
def test_brief_has_its_anatomy(lab: Lab):
    nb = nbformat.read(lab.folder / "brief.ipynb", as_version=4)
    nbformat.validate(nb)
    prose = "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    assert nb.cells[0].source.startswith(f"# Lab {lab.number} · {lab.title}\n")
    assert re.search(r"\*About \d\d minutes\.", nb.cells[0].source)
    assert f"../../notebooks/{lab.question}.ipynb" in nb.cells[0].source
    assert re.findall(r"^## (.+)$", prose, re.M) == HEADINGS
    assert len(re.findall(r"<details><summary>Hint [123]: ", prose)) == 3
    before, _, section = prose.partition("## What must hold\n")
    told = before + section.partition("\n## ")[2]
    assert len(told.split()) <= 1000
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    starter = (lab.folder / "starter.py").read_text(encoding="utf-8").strip()
    begin = f"from labs.judge import brief\n\nbrief.begin({lab.number})"
    assert code == [begin, f"%%lab\n{starter}", f"brief.check({lab.number})"]
    for role in lab.roles:
        assert role.partition("(")[0] in prose, f"the brief does not mention {role}"


@pytest.mark.parametrize("lab", ALL)
def test_brief_says_what_must_hold_how_long_the_check_waits_and_how_to_hand_in(lab: Lab):
    nb = nbformat.read(lab.folder / "brief.ipynb", as_version=4)
    prose = "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    section = prose.partition("## What must hold\n")[2].partition("\n## ")[0]
    assert re.findall(r"^- \*\*([a-z])\*\* (.+)$", section, re.M) == [*lab.requirements.items()]
    assert re.search(r"^(\*\*)?What must survive: ", section, re.M)
    patient = next(line for line in section.splitlines() if line.startswith("The check is patient"))
    works = any(role.startswith("run_") for role in lab.roles)
    if works or patient != brief.PATIENT_WITH_CALLS:
        # What becomes of a process that dies or returns differs from lab to lab.
        assert re.fullmatch(re.escape(brief.PATIENT) + r" .*\breturns\b.*", patient)
    assert brief.HAND_IN.format(file=f"lab{lab.number:02d}.py") in section.splitlines()


@pytest.mark.parametrize("lab", ALL)
def test_each_belief_of_a_lab_has_a_wrong_solution_in_it(lab: Lab):
    held = {belief for one in solutions(lab.number) for _, belief in one.breaks or ()}
    assert sorted(set(lab.beliefs) - held) == []


def test_each_shared_belief_has_a_wrong_solution_in_some_lab():
    held = {
        belief
        for number in numbers()
        for one in solutions(number)
        for _, belief in one.breaks or ()
    }
    assert sorted(set(misconceptions.SHARED) - held) == []


@pytest.mark.parametrize("lab", ALL)
def test_brief_is_clean_and_names_no_machine(lab: Lab):
    book = Book.read(lab.folder / "brief.ipynb")
    assert form.is_valid(book) + form.names_no_machine(book) == []
    assert all(not cell.get("outputs") and not cell.metadata for cell in book.nb.cells)


@pytest.mark.parametrize("lab", ALL)
def test_guide_has_its_sections(lab: Lab):
    text = (lab.folder / "guide.md").read_text(encoding="utf-8")
    assert text.startswith(f"# Lab {lab.number} · {lab.title}\n")
    assert [mark for mark in GUIDE if mark not in text] == []


@pytest.mark.parametrize("lab", ALL)
def test_modules_stay_short(lab: Lab):
    for path in lab.folder.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path


@pytest.mark.parametrize("lab", ALL)
def test_the_labs_page_has_a_row_for_it(lab: Lab):
    first = nbformat.read(lab.folder / "brief.ipynb", as_version=4).cells[0].source
    minutes = re.search(r"\*About (\d\d) minutes", first)
    assert minutes
    folder = lab.folder.name
    row = (
        f"| {lab.number} | [{lab.title}]({folder}/brief.ipynb) | {minutes[1]} min |"
        f" [Q{lab.number}](../notebooks/{lab.question}.ipynb) | [guide]({folder}/guide.md) |"
    )
    assert row in (lab.folder.parent / "README.md").read_text(encoding="utf-8").splitlines()
