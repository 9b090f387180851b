"""Tests of the runs on a fresh Debian."""

import pytest

from helpers import __main__ as command_line
from tests.slow.offline import standins, wrapper
from tests.slow.versions import debian


def test_unknown_debians_are_refused(capsys):
    assert command_line.main(["test-versions", "--debian", "potato"]) == 2
    every = "bookworm, trixie, forky"
    assert capsys.readouterr().err == f"error: no Debian potato: there are {every}\n"
    assert debian.check_suites([]) == every.split(", ")


def test_a_row_has_the_counts_of_the_whole_suite():
    printed = (
        "Installing the pinned requirements into .venv (Python 3.14.8) …",
        "RabbitMQ 4.3.6 on Erlang 29.1.1 is up (private node)",
        "====== 2 failed, 2245 passed, 16 skipped in 219.81s (0:03:39) ======",
        "====== 33 passed, 331 deselected in 26.56s ======",
    )
    row = debian.Result("forky", 2, printed, 300.4).row
    assert row == (
        "| forky | 3.14.8 | 4.3.6 | exit code 2: 2 failed, 2245 passed, 16 skipped | 300 s |"
    )
    green = (
        "===== 2601 passed, 16 skipped in 260.24s (0:04:20) =====",
        "===== 45 passed, 397 deselected in 31.11s =====",
    )
    assert "passed: 2601 passed, 16 skipped" in debian.Result("bookworm", 0, green, 1.0).row
    assert "exit code 1: nothing was run" in debian.Result("forky", 1, (), 1.0).row


@pytest.mark.slow
def test_a_command_runs_in_a_fresh_clone_and_its_exit_code_is_returned(capsys):
    if reason := wrapper.why_not() or standins.why_not():
        pytest.skip(reason)
    result = debian.run("trixie", "test -f README.md && test ! -e .venv && pwd && exit 3")
    assert result.status == 3
    assert result.lines == ("/root/für Ungeübte/rabbit lab",)
    assert "[trixie] /root/für Ungeübte/rabbit lab" in capsys.readouterr().out
