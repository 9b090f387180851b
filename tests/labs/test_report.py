"""The grades and the report of a class."""

import base64
import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from labs.judge.findings import Broken, NotSeen
from labs.judge.instructor import commands, report
from labs.judge.instructor.collecting import Skipped, Submission
from labs.judge.instructor.grading import Grade
from labs.judge.model import Verdict, load


def graded(learner: str, *broken: Broken, unusable: str = "", unseen: str = "") -> Grade:
    submission = Submission(learner, 5, Path(f"{learner}.py"), b"", (), "")
    untried = tuple(NotSeen(key, "run_worker() ended with NameError (line 3)") for key in unseen)
    return Grade(submission, Verdict(5, broken, unusable, 2.0, "4.3.6", untried))


def written(
    folder: Path, *grades: Grade, skipped: Sequence[Skipped] = (), note: str = "",
    practised: Mapping[str, Path] = MappingProxyType({}),
) -> str:  # fmt: skip
    """Return the text of the report on these grades."""
    report.write_report(
        grades, skipped, folder / "report.html", notes=[note] if note else [], practised=practised
    )
    return (folder / "report.html").read_text(encoding="utf-8")


def test_names_and_stories_are_escaped_in_the_report(tmp_path: Path):
    evil = "<script>alert(1)</script>"
    grades = [graded(evil, Broken("a", evil, "memory-set")), graded("ben", unusable=evil)]
    text = written(tmp_path, *grades, skipped=[Skipped(evil, 5, (evil,), evil)], note=evil)
    assert "alert" not in re.sub(r"&lt;script&gt;alert\(1\)&lt;/script&gt;", "", text)
    assert text.count("<script") == written(tmp_path, graded("ben")).count("<script") == 1


def test_a_name_cannot_be_a_spreadsheet_formula(tmp_path: Path):
    skipped = [Skipped("@ben", None, ("=1.txt",), "+ is no file")]
    report.write_csv([graded("=1+1"), graded("anna")], skipped, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["learner"] for row in read] == ["'=1+1", "anna", "'@ben"]
    assert read[2]["file"] == "'=1.txt"


def test_a_learner_counts_once_for_a_belief():
    twice = (Broken("a", "long story", "memory-set"), Broken("e", "short", "memory-set"))
    (belief,) = report.misconceptions(
        [graded("anna", *twice), graded("ben", twice[0]), graded("cleo")]
    )
    assert belief.sentence == "what a process remembers survives the process"
    assert belief.learners == ["anna", "ben"]
    assert belief.example == twice[1]


def test_what_is_no_belief_stands_apart():
    broken = Broken("a", "nothing happened", "not-done"), Broken("b", "NameError", "raised")
    every = "".join(load(5).requirements)
    grades = [
        graded("anna", *broken), graded("ben", broken[0]), graded("cleo", unseen=every),
        graded("dan", unusable="line 3: invalid syntax"), graded("eve", unusable="line 9: oh"),
        graded("fay", unseen="b"),
    ]  # fmt: skip
    assert report.misconceptions(grades) == []
    assert [(one.words, one.learners) for one in report.others(grades)] == [
        ("could not be judged: it has a syntax error", ["dan", "eve"]),
        ("not done yet", ["anna", "ben"]),
        ("ended with an error", ["anna"]),
        ("nothing could be tried", ["cleo"]),
    ]


@pytest.mark.parametrize(
    ("unusable", "words"),
    [
        (
            "the check took longer than 240 s and was ended; run_worker() ended with X",
            "out of time",
        ),
        ("the file did not finish loading within 10 s", "does not finish loading"),
        ("the file ended its process while it was loaded (exit status 3)", "while it is loaded"),
        ("it had more than 64 processes at once", "too many processes"),
        ("it ended the process that runs it", "ends the process around it"),
        ("the process that runs it has ended; it printed no error", "ends the process around it"),
        ("its work bypasses pika.BlockingConnection or sqlite3, so it …", "bypasses pika"),
        ("the broker ended the check: ChannelClosed (1)", "makes the broker end"),
        ("its check ended without a verdict: no error message", "the check itself failed"),
        ("it has no function run_worker()", "a function is missing"),
        ("ModuleNotFoundError: No module named 'x' (line 1)", "ends with an error while"),
        ("the process that runs it could not start; it printed no error", "could not be started"),
        ("its store was written to without the judge seeing it, so …", "bypasses pika or sqlite3"),
        ("files that judge it changed while it ran, so …", "the judge's own files changed"),
        ("something new", "another reason"),
    ],
)
def test_reasons_for_no_verdict_are_counted_by_kind(unusable: str, words: str):
    assert words in report.kind(unusable)


def test_a_requirement_that_was_not_seen_is_neither_0_nor_1(tmp_path: Path):
    anna = graded("anna", Broken("a", "story", "memory-set"), unseen="bc")
    skipped = [Skipped("ben", 5, ("x.py", "y.py"), "two files"), Skipped("", None, (".git",), "no")]
    report.write_csv([anna], skipped, tmp_path / "grades.csv")
    row, two, hidden = csv.DictReader((tmp_path / "grades.csv").read_text("utf-8").splitlines())
    assert [row[key] for key in "abcdefgh"] == ["0", "not seen", "not seen", "1", "1", "1", "", ""]
    assert (row["held"], row["requirements"], row["file"]) == ("3", "6", "anna.py")
    assert row["reasons"] == (
        "a: what a process remembers survives the process;"
        " b, c: not seen, run_worker() ended with NameError (line 3)"
    )
    assert (two["learner"], two["lab"], two["held"]) == ("ben", "5", "")
    assert (two["reasons"], two["file"]) == ("not judged: two files", "x.py, y.py")
    assert (hidden["learner"], hidden["lab"], hidden["file"]) == ("", "", ".git")
    text = written(tmp_path, anna, skipped=skipped)
    assert "0 hold, 0 broken, 1 not seen" in text and "1 hold, 0 broken<" in text
    assert "b, c</b> not seen: run_worker() ended" in text
    assert commands._line(anna).startswith(
        "anna, lab 5: 3 of 6 requirements hold, 1 is broken, 2 were not seen, 2 s"
    )


def test_the_report_begins_with_misconceptions_and_needs_no_network(tmp_path: Path):
    grades = [graded("anna", Broken("a", "story", "memory-set")), graded("ben", unseen="b")]
    skipped = [Skipped("cleo", 5, ("x.py", "y.py"), "two files")]
    text = written(tmp_path, *grades, skipped=skipped)
    assert re.findall(r"<h[23]>(.+?)</h", text) == [
        "Lab 5 · Payments that count once", "Misconceptions", "Requirements", "Learners",
        "Not judged",
    ]  # fmt: skip
    assert "1 learner has no grade" in text and "cleo" in text
    assert not re.search(r"https?:|//[a-z]|@import|url\(|\bsrc=|<link|fetch\(", text)
    assert "default-src 'none'" in text
    script = re.search(r"<script>(.+?)</script>", text, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_hidden_names_are_nowhere_outside_what_is_hidden(tmp_path: Path):
    grades = [graded("Ännchen", Broken("a", "story", "memory-set")), graded("Ben", unusable="x")]
    text = written(tmp_path, *grades, skipped=[Skipped("Cleo", 5, ("Cleo.txt",), "no")])
    text = re.sub(r'<span class="named?">.*?</span>|data-key="[^"]*"', "", text)
    text = re.sub(r'<section id="skipped" class="named">.*?</section>', "", text, flags=re.S)
    assert not re.search("Ännchen|Ben|Cleo", text)
    assert {"learner 1", "learner 2"} <= set(re.findall(r"learner \d", text))
