"""``make practice``, as a learner calls it."""

import os
import pty
import select
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from helpers import __main__ as command_line
from helpers.machine.paths import ROOT
from practice import commands, state
from practice.schedule import AGAIN
from tests.conftest import child_environment


def run(*arguments: str) -> int:
    return command_line.main(["practice", *arguments])


def test_a_first_day_and_the_next(learner, capsys):
    learner.answers = ["", "", "", "q"]
    assert run("q03", "--kind", "verdict") == 0
    printed = capsys.readouterr().out
    assert "0 cards due, 10 new" in printed
    assert "3 cards answered, 0 of them right. 3 cards come back on Sunday" in printed
    assert [one.facts["rating"] for one in state.history().events] == [AGAIN] * 3
    learner.later(days=1)
    assert run("q03", "--kind", "verdict") == 0
    assert "3 cards due, 10 new" not in capsys.readouterr().out  # three of eleven are known


def test_a_reason_is_kept_and_leaving_there_loses_nothing(learner, capsys):
    learner.answers = ["a", "50", "it counts copies", "a", "50", "q"]
    assert run("q03", "--kind", "verdict") == 0
    reasons = [one.facts.get("why") for one in state.history().events]  # of one moment: any order
    assert sorted(reasons, key=str) == [None, "it counts copies"]
    assert "Until next time.\n\n2 cards answered" in capsys.readouterr().out


def test_when_all_is_done_it_says_when_to_come_back(learner, capsys):
    learner.answers = [""] * 40
    assert run("q03", "--kind", "generations") == 0
    assert run("q03", "--kind", "generations") == 0
    assert "Nothing is due today. 5 cards come back on Sunday, 2026-11-29." in (
        capsys.readouterr().out
    )


def test_time_ends_a_session_after_a_card(learner, capsys, monkeypatch):
    seconds = iter(range(0, 10_000, 40))
    monkeypatch.setattr(commands, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    learner.answers = [""] * 40
    assert run("q03", "--kind", "verdict", "--minutes", "2") == 0
    printed = capsys.readouterr().out
    assert "Time is over: " in printed
    assert 0 < len(state.history().events) < 10


def test_ctrl_c_loses_nothing(learner, capsys, monkeypatch):
    learner.answers = [""]
    asked = iter([None])

    def interrupted(prompt):
        if next(asked, "over") == "over":
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr("builtins.input", interrupted)
    assert run("q03", "--kind", "verdict") == 0
    assert "Until next time." in capsys.readouterr().out
    assert len(state.history().events) == 1


def test_interview_and_forget(learner, capsys):
    learner.answers = ["", "q"]
    assert run("q03", "--kind", "verdict", "--interview", "2026-12-05") == 0
    assert str(state.history().interview) == "2026-12-05"
    learner.later(minutes=1)
    learner.answers = ["q"]
    assert run("q03", "--forget", "q03") == 0
    assert "no longer counts" in capsys.readouterr().out
    assert state.history().of("review") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["q99"], "there is no notebook 'q99'"),
        (["--interview", "soon"], "a day looks like 2026-12-14"),
        (["--forget", "prefetch"], "q01 to q10"),
        (["q03", "--kind", "verdict", "--level", "staff"], "there is no such card"),
    ],
)
def test_wrong_usage_is_one_sentence_and_keeps_nothing(learner, capsys, arguments, words):
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err
    assert not state.path().exists()


def test_everything_can_be_printed(learner, capsys):
    assert run("q09", "--all") == 0
    printed = capsys.readouterr().out
    assert printed.count("── q09.") >= 60
    assert "── q09.main · two minutes" in printed and "Right: " in printed
    assert not state.path().exists()


def test_a_broken_line_is_told(learner, capsys):
    learner.reviewed("q03.x", AGAIN)
    with state.path().open("a") as file:
        file.write('{"cut off')
    learner.answers = ["q"]
    assert run("q03") == 0
    assert "passed over, and stay there: 1 cut-off" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_one_sentence(learner, capsys, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path / "file" / "work"))
    learner.answers = [""]
    assert run("q03", "--kind", "verdict") in (1, 2)
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err + printed.out and "error" in printed.err


def test_in_a_real_terminal_of_forty_columns(tmp_path):
    ours, theirs = pty.openpty()
    environment = child_environment() | {
        "RABBIT_LAB_WORK": str(tmp_path), "COLUMNS": "40", "TERM": "dumb",
    }  # fmt: skip
    command = [sys.executable, "-m", "helpers", "practice", "q03", "--kind", "verdict"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            printed = read_until(ours, "", "Enter if you don't know:")
            os.write(ours, b"\n")
            printed = read_until(ours, printed, "2 of 10", "Enter if you don't know:")
            os.write(ours, b"q\n")
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
    os.close(ours)
    assert max(len(line) for line in printed.splitlines()) <= 48  # a prompt and what is typed
    assert "\x1b" not in printed
    assert len((tmp_path / "practice.jsonl").read_text().splitlines()) == 1


def read_until(terminal: int, printed: str, *words: str, timeout_s: float = 60.0) -> str:
    """Return what was printed so far and what comes until the words stand in it, in their order."""
    end, place = time.monotonic() + timeout_s, len(printed)
    for word in words:
        while word not in printed[place:]:
            ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"no {word!r} in {printed[place:]!r}"
            printed += os.read(terminal, 4096).decode()
        place = printed.index(word, place) + len(word)
    return printed
