"""Submissions are found in a folder, and all else in it is listed with its reason."""

import os
from pathlib import Path

import pytest

from helpers.errors import UsageError
from labs.judge.instructor import collecting, grading
from tests.labs.conftest import notebook, put


@pytest.mark.parametrize(
    ("files", "lab", "expected"),
    [
        (["anna.py", "ben.py"], 3, [("anna", 3), ("ben", 3)]),
        (["anna_lab03.py", "ben-lab5.py"], None, [("anna", 3), ("ben", 5)]),
        (["anna/lab03.py", "anna/lab05.py", "anna/tools.py"], None, [("anna", 3), ("anna", 5)]),
        (["anna/lab03.py", "anna/lab05.py"], 5, [("anna", 5)]),
        (["anna/lab03/lab03.py"], None, [("anna", 3)]),
        (["anna/answer.py", ".hidden/lab03.py"], 3, [("anna", 3)]),
        (["anna/LAB03.PY", "ben_lab05.Py", "chloe.PY"], 3, [("anna", 3), ("chloe", 3)]),
        (["anna/brief.ipynb", "ben.ipynb", "chloe_brief.ipynb"], None,
         [("anna", 5), ("ben", 5), ("chloe", 5)]),
        (["anna/lab05_payments/brief.ipynb", "anna/lab03.py"], None, [("anna", 3), ("anna", 5)]),
    ],
)  # fmt: skip
def test_submissions_are_found_by_name(
    tmp_path: Path, files: list[str], lab: int | None, expected: list[tuple[str, int]]
):
    submissions, _ = collecting.collect(put(tmp_path, *files), lab)
    assert [(submission.learner, submission.lab) for submission in submissions] == expected


@pytest.mark.parametrize(
    ("files", "lab", "says"),
    [([], 3, "holds no submission"), (["anna.py"], None, "does not say for which lab"),
     (["anna_lab99.py"], None, "there is no lab 99")],
)  # fmt: skip
def test_a_folder_without_usable_names_is_refused(
    tmp_path: Path, files: list[str], lab: int | None, says: str
):
    put(tmp_path, *files)
    with pytest.raises(UsageError, match=says):
        collecting.collect(tmp_path, lab)
    with pytest.raises(UsageError, match="there is no folder"):
        collecting.collect(tmp_path / "nowhere", lab)


@pytest.mark.parametrize(
    ("files", "lab", "says"),
    [
        (["ben/attempt1.py", "ben/final.py"], 3,
         "ben: two files, attempt1.py and final.py, and none is named lab03.py"),
        (["ben/a.py", "ben/b.py", "ben/c/d.py"], 5,
         "ben: three files, a.py, b.py and c/d.py, and none is named lab05.py"),
        (["ben/lab03.py", "ben/old/lab03.py"], None,
         "ben: two files for lab 3, lab03.py and old/lab03.py, and only one can count"),
        (["ben/lab05.py", "ben/brief.ipynb"], 5,
         "ben: two files for lab 5, brief.ipynb and lab05.py, and only one can count"),
        (["ben_lab05.py", "ben_lab05.ipynb"], 5,
         "ben: two files for lab 5, ben_lab05.ipynb and ben_lab05.py, and only one can count"),
        (["ben/lab03.ipynb"], None,
         "ben: lab03.ipynb: its name says lab 3, and its first cell lab 5"),
        (["ben/brief.ipynb"], 3, "ben: brief.ipynb: it is for lab 5, and lab 3 is graded"),
        (["ben/final.py"], None, "it does not say for which lab it is: give LAB="),
        (["ben/lab42.py"], None, "ben: lab42.py: there is no lab 42"),
        (["ben/notes.txt", "ben/b.zip"], 3,
         "ben: b.zip and notes.txt: neither a Python file nor a notebook"),
        (["ben/notes.txt"], 3, "ben: ben/: a folder without any code to judge"),
        (["ben.docx"], 3, "ben: ben.docx: neither a Python file nor a notebook"),
        (["ben/.lab03.py"], 3, "ben: .lab03.py: hidden: its name begins with a dot"),
        ([".git/lab03.py"], 3, ".git: hidden: its name begins with a dot"),
        (["_old/lab03.py"], 3, "_old: hidden: its name begins with a dot or an underscore"),
        (["ben/lab03.py", "ben/deep/tools.py"], 3,
         "ben: deep/tools.py: it names no lab, and another file does"),
    ],
)  # fmt: skip
def test_whatever_is_not_judged_is_listed_with_its_reason(
    tmp_path: Path, files: list[str], lab: int | None, says: str
):
    _, skipped = collecting.collect(put(tmp_path, "anna_lab03.py", "anna_lab05.py", *files), lab)
    assert [str(one) for one in skipped if says in str(one)], [str(one) for one in skipped]


def test_no_file_of_a_folder_is_passed_over_in_silence(tmp_path: Path):
    put(
        tmp_path, "anna_lab03.py", "ben/lab03.py", "ben/tools.py", "ben/.DS_Store", "ben/data.csv",
        "ben/sub/__pycache__/x.pyc", "cleo/attempt1.py", "cleo/final.py", "dan/readme.md",
        "roster.csv", ".git/config", "_template/lab03.py", "fay/lab05.py", "gus/lab03.py",
    )  # fmt: skip
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve_lab03.py").symlink_to(tmp_path / "anna_lab03.py")
    (tmp_path / "dan" / "lab03.py").symlink_to(tmp_path / "anna_lab03.py")
    (tmp_path / "gus" / "lab03.py").write_bytes(b"#" * 1_000_001)
    collected, skipped = collecting.collect(tmp_path, 3)
    used = {path for one in collected for path in (one.path, *one.beside)}
    assert {str(path.relative_to(tmp_path)) for path in used} == {
        "anna_lab03.py", "ben/lab03.py", "ben/tools.py",
    }  # fmt: skip
    named = sorted((one.learner, name) for one in skipped for name in one.files)
    assert named == [
        ("", ".git"), ("", "_template"), ("ben", ".DS_Store"), ("ben", "data.csv"),
        ("ben", "sub/__pycache__"), ("cleo", "attempt1.py"), ("cleo", "final.py"), ("dan", "dan/"),
        ("dan", "lab03.py"), ("dan", "readme.md"), ("eve", "eve/"), ("eve", "eve_lab03.py"),
        ("fay", "lab05.py"), ("gus", "gus/"), ("gus", "lab03.py"), ("roster", "roster.csv"),
    ]  # fmt: skip
    assert "at most 1 MB" in " ".join(str(one) for one in skipped if one.learner == "gus")


NOTEBOOKS = {
    "empty": ("", "it cannot be read as a notebook"),
    "torn": ('{"cells": [', "it cannot be read as a notebook"),
    "a list": ("[]", "it cannot be read as a notebook"),
    "numbers": ('{"nbformat": 4, "nbformat_minor": 5, "cells": [3]}', "cannot be read"),
    "of the future": ('{"nbformat": 9, "nbformat_minor": 0, "cells": []}', "cannot be read"),
    "deep": ("[" * 100_000, "cannot be read"),
    "none": (["print(1)"], "no cell begins with %%lab, and one has to"),
    "late": (["x = 1\n%%lab\n"], "no cell begins with %%lab, and one has to"),
    "alike": (["%%labour\nx = 1"], "no cell begins with %%lab, and one has to"),
    "two": (["%%lab\nx = 1", "%%lab\nx = 2"], "2 cells begin with %%lab, and one has to"),
}


@pytest.mark.parametrize(("content", "says"), NOTEBOOKS.values(), ids=list(NOTEBOOKS))
def test_a_notebook_without_one_cell_for_the_lab_is_listed(
    tmp_path: Path, content: str | list[str], says: str, capfd: pytest.CaptureFixture[str]
):
    put(tmp_path, "anna_lab05.py")
    text = content if isinstance(content, str) else notebook(*content)
    (tmp_path / "ben_lab05.ipynb").write_text(text)
    collected, skipped = collecting.collect(tmp_path, None)
    assert [submission.learner for submission in collected] == ["anna"]
    assert [one.learner for one in skipped] == ["ben"] and says in skipped[0].reason
    assert capfd.readouterr() == ("", "")


def test_a_notebook_s_code_is_what_its_cell_would_write(tmp_path: Path):
    (tmp_path / "anna.ipynb").write_text(notebook("brief.begin(5)", "\n%%lab \nx = 'ä'\n\ny = 2"))
    ((anna,), skipped) = collecting.collect(tmp_path, None)
    assert (anna.lab, anna.code.decode(), skipped) == (5, "x = 'ä'\n\ny = 2", [])
    file = grading._copy(anna, tmp_path / "copy")
    assert (file.name, file.read_bytes()) == ("lab05.py", anna.code)


def test_a_name_that_a_terminal_cannot_show_does_no_harm(tmp_path: Path):
    (tmp_path / os.fsdecode(b"\xff\x1b[31m_lab05.py")).write_text("x = 1")
    ((submission,), _) = collecting.collect(tmp_path, None)
    assert submission.learner == "��[31m"


def test_only_files_of_the_same_learner_are_copied(tmp_path: Path):
    put(tmp_path, "anna_lab05.py", "ben_lab05.py", "cleo/lab05.PY", "cleo/tools.py")
    (tmp_path / "cleo" / "link.py").symlink_to(tmp_path / "ben_lab05.py")
    copied = []
    for number, submission in enumerate(collecting.collect(tmp_path, None)[0]):
        target = tmp_path / f"copy{number}"
        grading._copy(submission, target)
        copied.append(sorted(path.name for path in target.iterdir()))
    assert copied == [["anna_lab05.py"], ["ben_lab05.py"], ["lab05.py", "tools.py"]]


def test_a_submission_changes_with_each_file_that_it_may_import(tmp_path: Path):
    put(tmp_path, "cleo/lab05.py", "cleo/tools.py")
    before = collecting.collect(tmp_path, None)[0][0].digest
    assert collecting.collect(tmp_path, None)[0][0].digest == before
    (tmp_path / "cleo" / "tools.py").write_text("x = 2")
    assert collecting.collect(tmp_path, None)[0][0].digest != before
