"""Grades of a class: each submission in isolation, hostile ones included, and the report."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from helpers.errors import UsageError
from helpers.machine import apt
from labs.judge.findings import Broken
from labs.judge.instructor import grading, report
from labs.judge.instructor.grading import Grade, Submission
from labs.judge.model import Verdict, folder_of
from labs.judge.sandbox import bubblewrap

LAB5 = folder_of(5)
HOSTILE = {
    "hangs": "while True:\n    pass\n",
    "crashes": "import os\nos.abort()\n",
    "forks": "import os\ndef run_worker(url, store):\n    while True:\n        os.fork()\n",
    "floods": "def run_worker(url, store):\n    while True:\n        print('x' * 10**6)\n",
    "pretends": "def run_worker(url, store):\n    print('All that this check looks for holds.')\n",
    "leaves": "import os\ndef run_worker(url, store):\n    os._exit(0)\n",
}
CLASS = [
    ("correct", "insert_first"),
    ("correct", "lock_first"),
    ("wrong", "check_then_insert"),
    ("wrong", "check_then_insert"),
    ("wrong", "memory_set"),
    ("wrong", "acks_first"),
]


@pytest.fixture(scope="session")
def bwrap() -> str:
    """Return bubblewrap's path, installed where that can be done."""
    if bubblewrap.program() is None and apt.why_not() is None:
        apt.ensure("bubblewrap", is_missing=lambda: bubblewrap.program() is None)
    path = bubblewrap.program()
    if path is None:
        pytest.skip("there is no bubblewrap on this machine, and it cannot be installed")
    return path


def run_grade(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "helpers", "grade", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_a_class_is_graded_in_one_command(tmp_path: Path, shared_broker, bwrap: str):
    learners = 24
    folder, out = tmp_path / "submissions", tmp_path / "out"
    folder.mkdir()
    for number in range(learners):
        kind, name = CLASS[number % len(CLASS)]
        shutil.copy(LAB5 / kind / f"{name}.py", folder / f"learner{number:02d}.py")
    for name, source in HOSTILE.items():
        (folder / name).mkdir()
        (folder / name / "lab05.py").write_text(source)
    began = time.monotonic()
    done = run_grade(folder, "--lab", "5", "--out", out, "--seconds", "120")
    took_s = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    graded = rows(out)
    assert len(graded) == learners + len(HOSTILE) == 30
    assert took_s < 280
    for number in range(learners):
        held = graded[f"learner{number:02d}"]["held"]
        assert (held == "6") == (CLASS[number % len(CLASS)][0] == "correct")
    assert [graded[name]["held"] for name in HOSTILE] == ["0"] * len(HOSTILE)
    beliefs = Counter(
        reason.partition(": ")[2]
        for row in graded.values()
        for reason in set(row["reasons"].split("; "))
        if row["f"] == "0" and row["e"] == "1"
    )
    assert beliefs == {"what was looked up a moment ago is still true": 8}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "30 submissions; everything holds in 8." in report
    assert "http" not in report.replace("http-equiv", "")


@pytest.mark.slow
def test_an_interrupted_run_continues_where_it_stopped(tmp_path: Path, shared_broker):
    folder, out = tmp_path / "submissions", tmp_path / "out"
    folder.mkdir()
    for name in ("anna", "ben", "chloe"):
        shutil.copy(LAB5 / "wrong" / "no_dedup.py", folder / f"{name}_lab05.py")
    command = [sys.executable, "-m", "helpers", "grade", folder, "--out", out, "--jobs", "1"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = next(text for text in process.stdout if "anna" in text)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert "1 of 3" in line
    assert process.returncode == 130
    assert "interrupted" in output and "Traceback" not in errors
    before = {path: path.stat().st_mtime_ns for path in (out / "verdicts").glob("*.json")}
    assert 1 <= len(before) < 3
    again = run_grade(folder, "--out", out)
    assert again.returncode == 0
    assert again.stdout.count("(kept)") == len(before)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert len(rows(out)) == 3


def test_a_changed_submission_is_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "in" / "anna.py"
    file.parent.mkdir()
    file.write_text("x = 1")
    judged: list[str] = []

    def judge(submission: Submission, seconds: float) -> Verdict:
        judged.append(submission.path.read_text())
        return Verdict(5, (), "", 1.0, "4.3.6")

    monkeypatch.setattr(grading, "_judge", judge)

    def run() -> None:
        submissions = grading.submissions(file.parent, 5)
        list(grading.grade(submissions, tmp_path / "out", jobs=1, seconds=1))

    run()
    run()
    file.write_text("x = 2")
    run()
    assert judged == ["x = 1", "x = 2"]


def test_a_submission_sees_no_other_and_no_credentials(tmp_path: Path, shared_broker, bwrap: str):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "secret.py").write_text("ANSWER = 42\ndef run_worker(url, store): pass\n")
    (folder / "spy.py").write_text(
        "import os, pathlib\n"
        "def run_worker(url, store):\n"
        f"    places = {[str(folder / 'secret.py'), str(LAB5 / 'correct'), str(LAB5)]!r}\n"
        "    seen = [place for place in places if os.path.exists(place)]\n"
        "    seen += [name for name in os.environ if 'URL' in name]\n"
        f"    try: pathlib.Path({str(LAB5 / 'check.py')!r}).write_text('LAB = None')\n"
        "    except OSError: pass\n"
        "    else: seen.append('wrote the check')\n"
        "    raise RuntimeError(f'seen {seen}')\n"
    )
    before = (LAB5 / "check.py").read_bytes()
    assert run_grade(folder, "--lab", "5", "--out", out, "--seconds", "30").returncode == 0
    stored = json.loads((out / "verdicts" / "spy-lab05.json").read_text())
    assert "seen []" in stored["verdict"]
    assert {learner: row["held"] for learner, row in rows(out).items()} == {
        "secret": "0",
        "spy": "0",
    }
    assert "2 submissions; everything holds in 0." in (out / "report.html").read_text("utf-8")
    assert (LAB5 / "check.py").read_bytes() == before


@pytest.mark.parametrize(
    ("files", "lab", "expected"),
    [
        (["anna.py", "ben.py"], 3, [("anna", 3), ("ben", 3)]),
        (["anna_lab03.py", "ben-lab5.py"], None, [("anna", 3), ("ben", 5)]),
        (["anna/lab03.py", "anna/lab05.py", "anna/tools.py"], None, [("anna", 3), ("anna", 5)]),
        (["anna/lab03.py", "anna/lab05.py"], 5, [("anna", 5)]),
        (["anna/lab03/lab03.py"], None, [("anna", 3)]),
        (["anna/answer.py", ".hidden/lab03.py"], 3, [("anna", 3)]),
    ],
)
def test_submissions_are_found_by_name(
    tmp_path: Path, files: list[str], lab: int | None, expected: list[tuple[str, int]]
):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    submissions = grading.submissions(tmp_path, lab)
    assert [(submission.learner, submission.lab) for submission in submissions] == expected


@pytest.mark.parametrize(
    ("files", "lab", "says"),
    [([], 3, "holds no submission"), (["anna.py"], None, "does not say for which lab"),
     (["anna_lab99.py"], None, "there is no lab 99")],
)  # fmt: skip
def test_a_folder_without_usable_names_is_refused(
    tmp_path: Path, files: list[str], lab: int | None, says: str
):
    for name in files:
        (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match=says):
        grading.submissions(tmp_path, lab)
    with pytest.raises(UsageError, match="there is no folder"):
        grading.submissions(tmp_path / "nowhere", lab)


def test_only_files_of_the_same_learner_are_copied(tmp_path: Path):
    for name in ("anna_lab05.py", "ben_lab05.py", "cleo/lab05.py", "cleo/tools.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "cleo" / "link.py").symlink_to(tmp_path / "ben_lab05.py")
    copied = []
    for number, submission in enumerate(grading.submissions(tmp_path, None)):
        target = tmp_path / f"copy{number}"
        grading._copy(submission, target)
        copied.append(sorted(path.name for path in target.iterdir()))
    assert copied == [["anna_lab05.py"], ["ben_lab05.py"], ["lab05.py", "tools.py"]]


def test_two_learners_never_share_a_verdict_s_file():
    names = ["a b", "a_b", "a/b", "ä", "a.b"]
    assert len({grading._safe(name) for name in names}) == len(names)
    assert all("/" not in grading._safe(name) for name in names)


def graded(learner: str, *broken: Broken, unusable: str = "") -> Grade:
    submission = Submission(learner, 5, Path(f"{learner}.py"), "", True)
    return Grade(submission, Verdict(5, broken, unusable, 2.0, "4.3.6"))


def test_names_and_stories_are_escaped_in_the_report(tmp_path: Path):
    evil = "<script>alert(1)</script>"
    grades = [graded(evil, Broken("a", evil, "memory-set")), graded("ben", unusable=evil)]
    report.write_report(grades, tmp_path / "report.html", notes=[evil])
    assert "<script>" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_name_cannot_be_a_spreadsheet_formula(tmp_path: Path):
    report.write_csv([graded("=1+1"), graded("anna")], tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        assert [row["learner"] for row in csv.DictReader(file)] == ["'=1+1", "anna"]


def test_a_learner_counts_once_for_a_belief():
    twice = (Broken("a", "", "memory-set"), Broken("e", "", "memory-set"))
    beliefs = report.misconceptions(
        [graded("anna", *twice), graded("ben", twice[0]), graded("cleo")]
    )
    assert beliefs == [("what a process remembers survives the process", ["anna", "ben"])]
