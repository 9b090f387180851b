"""The students' version: it works, and has none of the instructor's files."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.machine.paths import home
from labs.judge.instructor import handout
from labs.judge.instructor.proof import solutions
from labs.judge.model import numbers
from tests.conftest import CHILD_TIMEOUT_S, child_environment

NEVER = (
    "/correct/", "/wrong/", "/hidden.py", "/guide.md", "/instructors.md", "/judge/instructor/",
    "report.html.j2", "/tests/", "/.", "__pycache__", "/work/",
)  # fmt: skip


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the students' version."""
    folder = tmp_path_factory.mktemp("students")
    target = folder / "students.zip"
    assert handout.write(target) > 100
    with zipfile.ZipFile(target) as archive:
        archive.extractall(folder)
    return folder / handout.FOLDER


def test_no_file_of_the_instructor_is_in_it(unpacked: Path):
    names = [path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")]
    assert [name for name in names if any(part in f"/{name}/" for part in NEVER)] == []


def test_no_solution_s_text_is_in_any_file(unpacked: Path):
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in unpacked.rglob("*")
        if path.suffix in (".py", ".ipynb", ".md")
    }
    for number in numbers():
        starter, *others = solutions(number)
        given = set(_lines(starter.path))
        for solution in others:
            own = [line for line in _lines(solution.path) if line not in given]
            for path, text in texts.items():
                if path.parts[-2].startswith("lab"):
                    held = sum(line in text for line in own)
                    assert held < max(4, len(own) // 2), f"{solution.path} is in {path}"


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if len(line) > 30 and not line.startswith(("import", "from"))]


def test_the_book_is_beside_it_when_it_is_the_learners_and_as_new_as_its_sources(tmp_path: Path):
    root, book = tmp_path / "lab", tmp_path / "book"
    notebook = root / "notebooks" / "q01_x.ipynb"
    for folder in (book, notebook.parent):
        folder.mkdir(parents=True)
    notebook.write_text("{}")
    assert handout.why_no_book(book, root) == f"there is no book for learners in {book}"
    (book / "edition.txt").write_text("instructors\n")
    assert handout.why_no_book(book, root).startswith("there is no book for learners in ")
    (book / "edition.txt").write_text("learners\n")
    (book / "index.html").write_text("the book")
    assert handout.why_no_book(book, root) == ""
    assert handout.write(tmp_path / "x.zip", root, book=book) == 4
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read("rabbit-lab-book/index.html") == b"the book"
    os.utime(notebook, (notebook.stat().st_mtime + 60,) * 2)
    assert handout.why_no_book(book, root).endswith(" is older than notebooks/q01_x.ipynb")


def test_every_lab_is_in_it_with_brief_starter_and_check(unpacked: Path):
    for number in numbers():
        folder = next((unpacked / "labs").glob(f"lab{number:02d}_*"))
        assert {"brief.ipynb", "starter.py", "check.py"} <= {path.name for path in folder.iterdir()}
    assert (unpacked / "LICENSE").is_file()
    assert (unpacked / "README.md").read_text(encoding="utf-8").startswith("# Rabbit Lab")


@pytest.mark.slow
def test_a_check_runs_in_it(unpacked: Path, shared_broker, tmp_path: Path):
    environment = child_environment(
        RABBIT_LAB_WORK=str(tmp_path),
        PYTHONPATH=str(unpacked),
        RABBIT_LAB_HOME=str(home()),  # reuse the running broker
    )
    correct = next(solution for solution in solutions(5) if solution.kind == "correct")

    def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=unpacked, env=environment, capture_output=True, text=True, check=False,
            timeout=CHILD_TIMEOUT_S,
        )  # fmt: skip

    done = run("labs.judge", "check", "5", str(correct.path))
    assert "6 of 6 requirements hold" in done.stdout, done.stderr
    assert "All that this check looks for holds." in done.stdout
    missing = run("helpers", "check", "5", "no-such-file.py")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    assert missing.stderr.startswith("error: there is no file no-such-file.py: ")
    assert "holds" in run("helpers", "check").stdout
    printed = run("helpers", "practice", "q03", "--all")
    assert "── q03.main · two minutes" in printed.stdout, printed.stderr
    assert "broken code" not in printed.stdout
    assert "No such command 'grade'" in run("labs.judge", "grade", ".").stderr
    for name in ("test", "twice", "sabotage", "labs-proof", "grade", "handout"):
        refused = run("helpers", name)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert refused.stderr.startswith("error: this copy has no ")
