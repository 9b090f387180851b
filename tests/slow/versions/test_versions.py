"""Tests of the run of all generations, with fakes for long runs."""

import os
import shlex
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from helpers import __main__ as command_line
from helpers.broker import Broker
from helpers.errors import UsageError
from helpers.machine.paths import ROOT, labs, notebooks
from helpers.waits import wait_until
from tests.slow.offline import generation, kafka, standins
from tests.slow.versions import parallel, runner
from tests.support.tiny_notebooks import checkout, code, prose, save

__all__ = ["checkout"]

TALLY = runner.Tally("4.0.5", "27.3", (10, 10), (78, 80), (31, 31), 0, 340.4)


@pytest.fixture
def without_brokers(monkeypatch):
    """Replace brokers, Kafka and pages by nothing."""
    shared = SimpleNamespace(version="?", erlang="?")
    monkeypatch.setattr("tests.slow.versions.command.write_tables", lambda: [])
    monkeypatch.setattr(generation, "running", lambda name: nullcontext(shared))
    monkeypatch.setattr(kafka, "running", nullcontext)


def test_generations_are_run_oldest_first_and_unknown_ones_refused(capsys):
    assert generation.check_names([]) == list(generation.GENERATIONS)
    assert generation.check_names(["4.3", "3.10"]) == ["3.10", "4.3"]
    assert generation.check_names([], ["3.10"]) == ["4.0", "4.3"]
    assert generation.check_names(["4.3", "3.10"], ["3.10"]) == ["4.3"]
    with pytest.raises(UsageError, match=r"no generation 5\.0"):
        generation.check_names([], ["5.0"])
    assert command_line.main(["test-versions", "4.9"]) == 2
    every = ", ".join(generation.GENERATIONS)
    assert capsys.readouterr().err == f"error: no generation 4.9: there are {every}\n"


def test_only_correct_solutions_must_be_accepted():
    solutions = runner.correct_solutions([1, 3])
    assert solutions
    kinds = {(solution.lab, solution.path.parent.name) for solution in solutions}
    assert kinds == {(1, "correct"), (3, "correct")}


def test_only_notebooks_that_need_a_service_start_one():
    q01, q08 = (next(ROOT.glob(f"notebooks/{name}_*.ipynb")) for name in ("q01", "q08"))
    assert (runner.needs("kafka", [q01]), runner.needs("kafka", [q01, q08])) == (False, True)
    assert runner.needs("cluster", [q08])


def test_a_kafka_that_already_runs_is_used(monkeypatch):
    def build(name):
        raise AssertionError(f"{name} is built")

    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr(standins, "tree", build)
    with kafka.running():
        assert os.environ["KAFKA_BOOTSTRAP"] == "127.0.0.1:9"
    assert os.environ["KAFKA_BOOTSTRAP"] == "127.0.0.1:9"


def test_without_kafka_the_reason_is_printed(monkeypatch, tmp_path, capsys):
    def build(name):
        raise standins.StandinError(f"no Maven for {name}")

    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("RABBIT_LAB_STANDINS", str(tmp_path))
    monkeypatch.setenv("RABBIT_LAB_DOCKER", "off")
    monkeypatch.setattr(standins, "tree", build)
    with kafka.running():
        assert "KAFKA_BOOTSTRAP" not in os.environ
    assert capsys.readouterr().err == ("No Kafka, so its cells are skipped: no Maven for kafka\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_brokers")
@pytest.mark.parametrize(
    ("arguments", "paths", "labs"),
    [
        ([], len(notebooks()), len(labs())),
        (["--notebooks", "q04,q10"], 2, 0),
        (["--labs", "3"], 0, 1),
        (["--labs", "03,lab04", "--notebooks", "q01"], 1, 2),
    ],
)
def test_naming_some_runs_only_these(arguments, paths, labs, monkeypatch, capsys):
    ran = []

    def run(shared, some_paths, some_labs):
        ran.append((len(some_paths), len(some_labs)))
        return TALLY

    monkeypatch.setattr(runner, "run", run)
    assert command_line.main(["test-versions", "4.0", "4.3", *arguments]) == 0
    assert ran == [(paths, labs)] * 2
    assert capsys.readouterr().out.count("| 4.0.5 | 27.3 | 10 of 10 | 78 of 80 |") == 2


@pytest.mark.usefixtures("without_brokers")
def test_a_failure_shows_in_the_table_and_in_the_exit_status(monkeypatch, capsys):
    failed = runner.Tally("4.0.5", "27.3", (9, 10), (70, 80), (31, 31), 0, 1.0)
    assert TALLY.fine
    assert not failed.fine
    assert not runner.Tally("4.0.5", "27.3", (1, 1), (7, 7), (1, 1), 1, 1.0).fine
    table = runner.table([TALLY, failed]).splitlines()
    assert table[2] == "| 4.0.5 | 27.3 | 10 of 10 | 78 of 80 | 31 of 31 | 0 | 340 s |"
    assert table[3].startswith("| 4.0.5 | 27.3 | 9 of 10 |")
    monkeypatch.setattr(runner, "run", lambda *_: failed)
    assert command_line.main(["test-versions", "4.0"]) == 1
    assert "9 of 10" in capsys.readouterr().out


@pytest.mark.parametrize(("tag", "clusters"), [("needs-cluster", 1), ("experiment", 0)])
def test_a_cluster_is_started_for_cells_that_need_one(tag, clusters, checkout, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(runner.doctor, "start_cluster", lambda: started.append(1) or "A cluster")
    monkeypatch.setattr(runner.seen, "look", lambda _: ["x on 4.0: recorded 'one', now 'two'"])
    monkeypatch.setattr(runner.seen, "keep_solutions", lambda *_: None)
    monkeypatch.setattr(runner, "judge", lambda *_: False)
    shared = Broker("amqp://h/", "http://h", None, "here", version="4.0.5", erlang="27")
    path = save(checkout, prose("# Q2 · What?"), code("one", "1", tag), code("two", "2", tag))
    tally = runner.run(shared, [path, path], [])
    assert len(started) == clusters
    assert (tally.notebooks, tally.claims, tally.differing) == ((0, 2), (0, 0), 1)
    assert not tally.fine
    assert "recorded 'one', now 'two'" in capsys.readouterr().out


CHILD = """\
import sys, time
name, *options = sys.argv[1:]
print("working with", *options, flush=True)
for row in {table!r}.splitlines():
    print(row)
if "--wait" in options:
    time.sleep(60)
sys.exit(int(name == "4.0"))
"""


@pytest.fixture
def children(tmp_path, monkeypatch):
    """Replace the command of a generation by a small program that prints a table."""
    program, code = tmp_path / "child", CHILD.format(table=runner.table([TALLY]))
    command = shlex.join([sys.executable, "-c", code])  # a first line takes no path with a blank
    program.write_text(f'#!/bin/sh\nshift 3\nexec {command} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(parallel.sys, "executable", str(program))


@pytest.mark.usefixtures("without_brokers", "children")
def test_generations_run_side_by_side_with_labelled_output_and_one_table(capsys):
    assert (
        command_line.main(["test-versions", "--not", "3.10", "--jobs", "2", "--labs", "3,04"]) == 1
    )
    output = capsys.readouterr().out
    assert "[4.0] working with --labs=3,04\n" in output
    assert "[4.3] working with --labs=3,04\n" in output
    assert output.count("ended after ") == 2
    table = output[output.index("\n|") :].splitlines()[1:]
    assert table == [*runner.HEADER, *runner.table([TALLY, TALLY]).splitlines()[2:]]


@pytest.mark.usefixtures("children")
def test_an_interrupt_ends_all_generations(capsys):
    processes = parallel.Processes(["--wait"])

    def interrupt() -> None:
        wait_until(lambda: len(processes.running) == 2, timeout_s=20, what="two generations")
        os.kill(os.getpid(), signal.SIGINT)

    before, began_s = signal.signal(signal.SIGINT, signal.default_int_handler), time.monotonic()
    try:
        with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
            pool.submit(interrupt)
            processes.run(["3.10", "4.0", "4.3"], 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not processes.running
    assert time.monotonic() - began_s < 50, "they would take 60 s by themselves"
    output = capsys.readouterr().out
    assert output.count("ended after") == 2
    assert "[4.3]" not in output
