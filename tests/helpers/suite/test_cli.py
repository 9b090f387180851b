"""The command line as a user meets it: usage, errors, exit codes."""

import os
import signal
import subprocess
import sys
import threading

import click
import pytest

from helpers import __main__ as command_line
from helpers import broker
from helpers.errors import BrokerNotReadyError, UsageError
from helpers.machine.paths import ROOT
from helpers.suite import checks, commands, exits
from tests.conftest import CHILD_TIMEOUT_S, child_environment, run_python

NOWHERE = child_environment(AMQP_URL="amqp://guest:guest@nosuchhost.invalid/")


def test_no_command_shows_how_to_use_it():
    done = run_python("-m", "helpers")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: python -m helpers")
    assert "open JupyterLab on the notebooks" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "usage", "error"),
    [
        (["no-such"], " [OPTIONS] COMMAND [ARGS]...", "No such command 'no-such'."),
        (["--no-such"], " [OPTIONS] COMMAND [ARGS]...", "No such option '--no-such'."),
        (["up", "--no-such"], " up [OPTIONS]", "No such option '--no-such'."),
        (["up", "more"], " up [OPTIONS]", "Got unexpected extra argument (more)"),
        (["grade"], " grade [OPTIONS] DIR", "Missing argument 'DIR'."),
    ],
)
def test_wrong_usage(arguments, usage, error, capsys):
    assert command_line.main(arguments) == 2
    assert capsys.readouterr().err == f"Usage: python -m helpers{usage}\nerror: {error}\n"


@pytest.mark.parametrize("command", ["notebooks", "verdicts", "practice", "test-browser"])
def test_unknown_notebook_is_wrong_usage(command, capsys):
    assert command_line.main([command, "q11"]) == 2
    assert capsys.readouterr().err.startswith("error: there is no notebook 'q11'; there are: q01")


@pytest.mark.parametrize("command", ["up", "status", "lab"])
def test_error_is_one_line_and_no_traceback(command):
    done = run_python("-m", "helpers", command, environment=NOWHERE)
    assert done.returncode == 1
    assert done.stderr == (
        "error: the host name 'nosuchhost.invalid' does not resolve: check AMQP_URL\n"
    )
    assert done.stdout == ""


def test_usage_error_has_a_code_of_its_own(capsys):
    environment = child_environment(AMQP_URL="localhost")
    done = run_python("-m", "helpers", "up", environment=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("error: AMQP_URL has to look like")


def test_up_status_and_doctor(channel, shared_broker, capsys):
    assert command_line.main(["up"]) == 0
    assert f"RabbitMQ {shared_broker.version}" in capsys.readouterr().out
    assert command_line.main(["status"]) == 0
    assert broker.vhost() in capsys.readouterr().out
    assert command_line.main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "LOOK" not in printed
    signs = ("Python", "packages", "GB free", "opening", "plugins: all", "Prometheus")
    for sign in (*signs, broker.vhost()):
        assert sign in printed


def test_down_leaves_the_given_broker_alone(shared_broker, tmp_path):
    environment = child_environment(home=tmp_path, AMQP_URL=shared_broker.amqp_url)
    done = run_python("-m", "helpers", "down", environment=environment)
    assert "The broker of AMQP_URL was left alone." in done.stdout
    assert broker.find() == shared_broker


def test_ctrl_c_ends_quietly(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(checks, "run", interrupted)
    assert command_line.main(["test"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("command", "printed"), [("doctor", "Python"), ("help", "Usage:"), ("test --help", "Usage:")]
)
def test_output_without_a_reader_is_no_traceback(command, printed):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m helpers {command} | head -1', sys.executable],
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=True,
        cwd=ROOT,
    )
    assert done.stderr == ""
    assert printed in done.stdout


def test_reader_that_has_gone_ends_a_command_with_1():
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "help"],
        stdout=writes, stderr=subprocess.PIPE, text=True, timeout=CHILD_TIMEOUT_S,
        check=False, cwd=ROOT,
    )  # fmt: skip
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("error", "code"), [(BrokerNotReadyError("it is so"), 1), (UsageError("it is so"), 2)]
)
def test_error_has_its_exit_code(error, code, capsys):
    @click.command
    def fails():
        raise error

    assert exits.run(fails, [], program="fails") == code
    assert capsys.readouterr() == ("", "error: it is so\n")


def test_chosen_signals_end_a_command_like_ctrl_c():
    @click.command
    @exits.like_ctrl_c(signal.SIGTERM)
    def waits():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(5)

    before = signal.getsignal(signal.SIGTERM)
    assert exits.run(waits, [], program="waits") == 130
    assert signal.getsignal(signal.SIGTERM) is before


# ── the table of commands ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    row = commands.COMMANDS[name]
    assert command_line.main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Usage: python -m helpers {name} [OPTIONS]")
    assert row.sentence[1:] in " ".join(printed.split())
    assert row.example in printed


def test_list_has_every_command_with_its_sentence(capsys):
    assert command_line.main(["help"]) == 0
    printed = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    for row in commands.COMMANDS.values():
        assert f"{row.name} {row.sentence}" in " ".join(lines)
    assert command_line.main(["--help"]) == 0
    assert capsys.readouterr().out == printed


def test_list_needs_no_command_s_module():
    code = (
        "import sys; from helpers.__main__ import main; main(['help']);"
        "print([name for name in ('pandas', 'nbformat', 'requests') if name in sys.modules])"
    )
    assert run_python("-c", code).stdout.splitlines()[-1] == "[]"


def test_page_is_made_from_the_table():
    text = (ROOT / commands.FILE).read_text(encoding="utf-8")
    assert text == commands.page(), "run `.venv/bin/python -m helpers help --write`"


def test_command_that_this_copy_lacks_is_refused_in_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    elsewhere = ("tests.", "labs.judge.instructor.")
    rows = [row for row in commands.COMMANDS.values() if row.needs]
    assert {row.name for row in rows} >= {"test", "twice", "test-slow"} | {
        row.name for row in commands.COMMANDS.values() if row.where.startswith(elsewhere)
    }
    for row in rows:
        assert command_line.main([row.name]) == 2
        assert capsys.readouterr().err == (
            f"error: this copy has no {row.needs}/, which `{row.name}` needs: run it in the whole"
            " repository\n"
        )


def test_commands_beside_the_tests_are_found_from_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "helpers", "sabotage", "q99"],
        capture_output=True, text=True, timeout=CHILD_TIMEOUT_S, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "error: no notebook makes the claim 'q99'\n")
