"""Grades of a class: each submission in isolation, hostile ones included, and the report."""

import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from helpers import broker
from helpers.machine import apt, docker
from labs.judge.instructor import collecting, commands, grading
from labs.judge.instructor.collecting import Submission
from labs.judge.model import Verdict, folder_of
from labs.judge.sandbox import bubblewrap
from tests.labs.conftest import put

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
    assert took_s < 240  # on two cores that do nothing else
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
    # On a loaded machine the next one or two are judged before the interrupt arrives.
    names = ("anna", "ben", "chloe", "dan", "eva", "finn")
    for name in names:
        shutil.copy(LAB5 / "wrong" / "no_dedup.py", folder / f"{name}_lab05.py")
    command = [sys.executable, "-m", "helpers", "grade", folder, "--out", out, "--jobs", "1"]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        line = next(text for text in process.stdout if "anna" in text)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert f"1 of {len(names)}" in line
    assert process.returncode == 130
    assert "interrupted" in output and "Traceback" not in errors
    before = {path: path.stat().st_mtime_ns for path in (out / "verdicts").glob("*.json")}
    assert 1 <= len(before) < len(names)
    again = run_grade(folder, "--out", out)
    assert again.returncode == 0
    assert again.stdout.count("(kept)") == len(before)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert len(rows(out)) == len(names)


def test_a_changed_submission_is_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "in" / "anna.py"
    file.parent.mkdir()
    file.write_text("x = 1")
    judged: list[str] = []

    def judge(submission: Submission, seconds: float, sandboxed: bool) -> Verdict:
        judged.append(submission.code.decode())
        return Verdict(5, (), "", 1.0, "4.3.6")

    monkeypatch.setattr(grading, "_judge", judge)

    def run(seconds: float = 1) -> None:
        submissions, _ = collecting.collect(file.parent, 5)
        list(grading.grade(submissions, tmp_path / "out", jobs=1, seconds=seconds))

    run()
    run()
    file.write_text("x = 2")
    run()
    run(seconds=2)
    assert judged == ["x = 1", "x = 2", "x = 2"]


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


def test_two_learners_never_share_a_verdict_s_file():
    names = ["a b", "a_b", "a/b", "ä", "a.b"]
    assert len({grading._safe(name) for name in names}) == len(names)
    assert all("/" not in grading._safe(name) for name in names)


@pytest.mark.parametrize("why", ["", "No permissions to create new namespace"])
def test_the_sandbox_is_tried_before_a_class_is_judged(
    why: str, bwrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if why:
        program = tmp_path / "bwrap"
        program.write_text(f"#!/bin/sh\necho 'bwrap: {why}' >&2\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert bubblewrap.why_not() == (f"bubblewrap cannot start here: {why}" if why else "")
    if not why:
        assert commands._sandbox_notes(without=False) == []
        return
    folder = put(tmp_path / "in", "anna_lab05.py")
    done = run_grade(folder, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"error: bubblewrap cannot start here: {why}; grade on a machine")
    assert "--without-sandbox" in done.stderr and not (tmp_path / "out").exists()
    (note,) = commands._sandbox_notes(without=True)
    assert "--without-sandbox" in note and "can read and change your files" in note


@pytest.mark.parametrize(
    ("login", "warned"), [("guest:guest", True), (docker.LOGIN, True), ("teacher:a%20b", False)]
)
def test_an_administrator_with_a_known_password_is_warned_of(
    login, warned, shared_broker, monkeypatch
):
    found = dataclasses.replace(shared_broker, amqp_url=f"amqp://{login}@127.0.0.1:5672/%2F")
    monkeypatch.setattr(broker, "find", lambda: found)
    notes = commands._broker_notes()
    assert bool(notes) == warned
    assert not warned or login.partition(":")[0] in notes[0]
