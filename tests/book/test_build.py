"""Building the book, as `make book` does; Sphinx is installed at the first run."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from book import building, printing
from book.sources import briefs, claims, questions
from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from labs.judge.instructor import handout
from tests.conftest import CHILD_TIMEOUT_S, child_environment


def build(
    target: Path, *options: str, seed: str = "0", root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    environment = child_environment(PYTHONHASHSEED=seed, PYTHONPATH=str(root))
    return subprocess.run(
        [sys.executable, "-m", "helpers", "book", "--out", str(target), *options],
        cwd=root, env=environment, capture_output=True, text=True,
        check=False, timeout=CHILD_TIMEOUT_S,
    )  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first") / "book"
    done = build(folder, seed="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "links followed" in done.stdout
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(book, tmp_path):
    again = tmp_path / "elsewhere" / "book"
    assert build(again, seed="2").returncode == 0
    first, second = contents(book), contents(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_every_page_is_there_and_no_machine_s_path_is_in_one(book):
    pages = {path.relative_to(book).as_posix() for path in book.rglob("*.html")}
    assert {f"{one.page[1:].removesuffix('.ipynb')}.html" for one in questions()} <= pages
    assert {f"{lab.page[1:].removesuffix('.ipynb')}.html" for lab in briefs().values()} <= pages
    assert building.edition(book) == building.LEARNERS
    for name, content in contents(book).items():
        assert str(ROOT).encode() not in content, name
        assert b"guide.html" not in content, name


@pytest.mark.slow
def test_each_claim_leads_to_its_cell_and_is_found(book):
    index = (book / "docs" / "claims.html").read_text(encoding="utf-8")
    lines = (book / "search-index.js").read_text(encoding="utf-8").splitlines()[1:-1]
    entries = [json.loads(line.rstrip(",")) for line in lines]
    found = {title.partition(" · ")[0]: address for title, _, _, address in entries}
    for name, (question, row) in claims().items():
        page = f"notebooks/{question.path.stem}.html"
        place = f"cell-id={row.cell}"
        assert f'href="../{page}#{place}">{name}</a>' in index
        assert found[name] == f"{page}#{place}"
        assert f'id="{place}"' in (book / page).read_text(encoding="utf-8")


@pytest.mark.slow
def test_figures_have_words_and_formulas_need_no_script(book):
    text = (book / "notebooks" / "q09_prefetch.html").read_text(encoding="utf-8")
    assert text.count("<img") == text.count('<img alt="Figure: ') > 3
    assert "<math" in text
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]*)"', text)
    assert scripts and not [one for one in scripts if "mathjax" in one.lower() or "//" in one]


@pytest.mark.slow
def test_the_instructors_edition_has_guides_and_solutions(tmp_path):
    folder = tmp_path / "book"
    done = build(folder, "--instructors")
    assert done.returncode == 0, done.stdout + done.stderr
    assert building.edition(folder) == building.INSTRUCTORS
    for lab in briefs().values():
        assert (folder / "labs" / lab.path.parent.name / "guide.html").is_file()
        answers = folder / "labs" / lab.path.parent.name / "answers.html"
        assert answers.read_text(encoding="utf-8").count("<h2>") > 6


@pytest.mark.slow
def test_the_students_version_builds_the_same_book(book, tmp_path):
    handout.write(tmp_path / "students.zip")
    with zipfile.ZipFile(tmp_path / "students.zip") as archive:
        archive.extractall(tmp_path)
    copy = tmp_path / handout.FOLDER
    done = build(tmp_path / "book", root=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path / "book") == contents(book)
    refused = build(tmp_path / "guides", "--instructors", root=copy)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("error: this copy has no guides and no solutions: ")


@pytest.mark.slow
def test_an_older_book_is_replaced_and_other_folders_are_left_alone(book, tmp_path):
    copy = tmp_path / "book"
    shutil.copytree(book, copy)
    (copy / "left-over.html").write_text("x")
    assert build(copy).returncode == 0
    assert contents(copy) == contents(book)


@pytest.mark.slow
def test_a_question_is_printed_with_its_folded_answers(book):
    files = printing.write(book)
    first = next(files)
    assert first.read_bytes().startswith(b"%PDF-")
    assert first.stat().st_size > 100_000


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something that is no book: name another folder"):
        building.build(tmp_path, instructors=False)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
