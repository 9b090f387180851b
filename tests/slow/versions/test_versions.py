"""Everything on each generation, and the page of what changed, without the long runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from nbformat import v4

from helpers import __main__ as command_line
from helpers.broker import Broker
from helpers.errors import RabbitLabError, UsageError
from helpers.machine.paths import ROOT
from helpers.suite.notebooks import CHECK_TAG, Claim, changes, write_tables
from labs.judge.instructor.proof import Outcome, Solution
from labs.judge.model import Verdict
from tests.conftest import child_environment, run_python
from tests.slow.offline import generation, kafka, standins, wrapper
from tests.slow.versions import runner, seen
from tests.slow.versions.probes import PROBES
from tests.support.tiny_notebooks import CHECK, checkout, code, prose, save

__all__ = ["checkout"]

TALLY = runner.Tally("4.0.5", "27.3", (10, 10), (78, 80), (31, 31), 0, 340.4)
LINE = "q02.1 holds if asked: copies: 1 on 3.10, 2 on 4.0, 2 on 4.3; other: 7"


# ── what is run ───────────────────────────────────────────────────────────────────────────────


def test_generations_are_run_oldest_first_and_unknown_ones_refused(capsys):
    assert generation.check_names([]) == ["3.10", "4.0", "4.3"]
    assert generation.check_names(["4.3", "3.10"]) == ["3.10", "4.3"]
    assert command_line.main(["test-versions", "4.9"]) == 2
    assert capsys.readouterr().err == "error: no generation 4.9: there are 3.10, 4.0, 4.3\n"


def test_only_correct_solutions_must_be_accepted():
    found = runner.correct_solutions([1, 3])
    assert found
    assert {(one.lab, one.path.parent.name) for one in found} == {(1, "correct"), (3, "correct")}


def test_only_notebooks_that_need_a_service_start_one():
    q01, q08 = (next(ROOT.glob(f"notebooks/{name}_*.ipynb")) for name in ("q01", "q08"))
    assert (runner.needs("kafka", [q01]), runner.needs("kafka", [q01, q08])) == (False, True)
    assert runner.needs("cluster", [q08])


def test_a_kafka_that_is_there_is_used(monkeypatch):
    def build(name):
        raise AssertionError(f"{name} is built all the same")

    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr(standins, "tree", build)
    with kafka.running():
        assert os.environ["KAFKA_BOOTSTRAP"] == "127.0.0.1:9"
    assert os.environ["KAFKA_BOOTSTRAP"] == "127.0.0.1:9"


def test_where_no_kafka_can_be_had_the_reason_is_told(monkeypatch, tmp_path, capsys):
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


@pytest.mark.parametrize(
    ("arguments", "paths", "labs"),
    [
        ([], 10, 10),
        (["--notebooks", "q04,q10"], 2, 0),
        (["--labs", "3"], 0, 1),
        (["--labs", "03,lab04", "--notebooks", "q01"], 1, 2),
    ],
)
def test_naming_some_runs_only_these(arguments, paths, labs, monkeypatch, capsys):
    ran = []

    def run(found, some_paths, some_labs):
        ran.append((len(some_paths), len(some_labs)))
        return TALLY

    monkeypatch.setattr("tests.slow.versions.command.write_tables", lambda: [])
    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(generation, "running", lambda name: _Nothing())
    assert command_line.main(["test-versions", "4.0", "4.3", *arguments]) == 0
    assert ran == [(paths, labs)] * 2
    assert capsys.readouterr().out.count("| 4.0.5 | 27.3 | 10 of 10 | 78 of 80 |") == 2


class _Nothing:
    version = erlang = "?"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def test_a_failure_shows_in_the_table_and_in_the_exit_status(monkeypatch, capsys):
    failed = runner.Tally("4.0.5", "27.3", (9, 10), (70, 80), (31, 31), 0, 1.0)
    assert TALLY.fine
    assert not failed.fine
    assert not runner.Tally("4.0.5", "27.3", (1, 1), (7, 7), (1, 1), 1, 1.0).fine
    table = runner.table([TALLY, failed]).splitlines()
    assert table[2] == "| 4.0.5 | 27.3 | 10 of 10 | 78 of 80 | 31 of 31 | 0 | 340 s |"
    assert table[3].startswith("| 4.0.5 | 27.3 | 9 of 10 |")
    monkeypatch.setattr("tests.slow.versions.command.write_tables", lambda: [])
    monkeypatch.setattr(runner, "run", lambda *_: failed)
    monkeypatch.setattr(generation, "running", lambda name: _Nothing())
    assert command_line.main(["test-versions", "4.0"]) == 1
    assert "9 of 10" in capsys.readouterr().out


@pytest.mark.parametrize(("tag", "clusters"), [("needs-cluster", 1), ("experiment", 0)])
def test_a_cluster_is_there_for_cells_that_need_one(tag, clusters, checkout, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(runner.doctor, "start_cluster", lambda: started.append(1) or "A cluster")
    monkeypatch.setattr(runner.seen, "look", lambda _: ["x on 4.0: recorded 'one', now 'two'"])
    monkeypatch.setattr(runner.seen, "keep_solutions", lambda *_: None)
    monkeypatch.setattr(runner, "judge", lambda *_: False)
    found = Broker("amqp://h/", "http://h", None, "here", version="4.0.5", erlang="27")
    path = save(checkout, prose("# Q2 · What?"), code("one", "1", tag), code("two", "2", tag))
    tally = runner.run(found, [path, path], [])
    assert len(started) == clusters
    assert (tally.notebooks, tally.claims, tally.differing) == ((0, 2), (0, 0), 1)
    assert not tally.fine
    assert "recorded 'one', now 'two'" in capsys.readouterr().out


def test_without_root_it_says_so_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command_line.main(["test-versions", "4.0", "--labs", "1"]) == 1
    assert capsys.readouterr().err == (
        "error: running a RabbitMQ that is not installed here needs root, for its mounts: run"
        " `sudo make test-versions`\n"
    )


def test_without_the_programs_it_names_them(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "unshare" else name)
    assert "needs the programs unshare of Linux's" in wrapper.why_not()


def test_a_tree_without_rabbitmq_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(wrapper, "why_not", lambda: None)
    with pytest.raises(wrapper.NoOtherTreeError, match="it is no tree with RabbitMQ"):
        wrapper.write(tmp_path / "bin", tree=tmp_path / "empty", home=tmp_path / "home")


@pytest.mark.skipif(wrapper.why_not() is not None, reason=str(wrapper.why_not()))
def test_where_nothing_of_a_tree_can_be_run_the_reason_is_told(tmp_path):
    for program in wrapper.PROGRAMS.values():
        (tmp_path / f"tree{program}").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"tree{program}").touch()
    with pytest.raises(wrapper.NoOtherTreeError, match="needs a root that may mount"):
        wrapper.write(tmp_path / "bin", tree=tmp_path / "tree", home=tmp_path / "home")


def test_another_run_of_the_same_generation_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_STANDINS", str(tmp_path))
    monkeypatch.setattr(wrapper, "why_not", lambda: None)
    with (
        generation._alone("4.0"),
        pytest.raises(RabbitLabError, match=r"another process runs things on RabbitMQ 4\.0 here"),
        generation.running("4.0"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


# ── a RabbitMQ that is not installed here ─────────────────────────────────────────────────────

STORY = """
from helpers import broker
from helpers.services import node

print(node.version())
with broker.disposable() as own:
    channel = own.connect().channel()
    channel.queue_declare("kept", durable=True)
    before = own.pid
    own.kill()
    own.start()
    print(own.broker.version, own.pid not in (None, before))
    print(own.ctl("list_queues", "name").split())
    left = own.pid
import psutil
print(psutil.pid_exists(left))
"""


def _why_no_tree(name: str) -> str | None:
    if reason := wrapper.why_not():
        return reason
    tree = standins.cache() / f"{name}-{standins.STANDINS[name].digest()}"
    return None if tree.exists() else f"`make test-versions` has not built the tree of {name} yet"


def test_its_node_is_started_killed_and_found_as_any_other(tmp_path):
    if reason := _why_no_tree("rabbitmq-4.3"):
        pytest.skip(reason)
    tree = standins.tree("rabbitmq-4.3")
    before = sorted(path.name for path in tree.iterdir())
    server = wrapper.write(tmp_path / "bin", tree=tree, home=tmp_path / "home")
    environment = child_environment(
        home=tmp_path / "home",
        RABBIT_LAB_SERVER=str(server),
        PATH=f"{server.parent}{os.pathsep}{os.environ['PATH']}",
    )
    done = run_python("-c", STORY, environment=environment)
    assert done.returncode == 0, done.stderr
    version, again, queues, alive = done.stdout.splitlines()
    assert version.startswith("4.3.")
    assert again == f"{version} True"
    assert "kept" in queues
    assert alive == "False"
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert sorted(path.name for path in tree.iterdir()) == before


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_what_it_started_ends_with_it_when_it_is_interrupted(way, tmp_path):
    if reason := _why_no_tree("rabbitmq-4.0"):
        pytest.skip(reason)
    # A cache of the test's own, so that it does not meet a run that is under way.
    tree = standins.tree("rabbitmq-4.0")
    (tmp_path / tree.name).symlink_to(tree)
    child = subprocess.Popen(
        [sys.executable, "-m", "helpers", "test-versions", "4.0", "--labs", "1"],
        env=child_environment(RABBIT_LAB_STANDINS=str(tmp_path)),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        for line in child.stdout:
            if line.startswith("RabbitMQ 4.0."):
                break
        assert _of(tmp_path)
        child.send_signal(way)
        assert child.wait(timeout=120) == 130
    finally:
        child.kill()
        child.communicate()
    assert _of(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("run-")] == []


def _of(folder: Path) -> list[list[str]]:
    """Return the command lines of processes that name a folder."""
    lines = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(str(folder) in word for word in line)]


# ── small behaviours ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PROBES)
def test_this_broker_behaves_as_recorded_for_its_generation(name, shared_broker):
    recorded = changes.load_seen().get(shared_broker.generation)
    if recorded is None:
        pytest.skip(f"nothing is recorded for {shared_broker.generation}: make test-versions")
    assert PROBES[name]() == recorded["seen"][name]


def test_every_small_behaviour_is_recorded_for_every_generation():
    recorded = changes.load_seen()
    assert list(recorded) == list(generation.GENERATIONS)
    for one in recorded.values():
        assert set(one["seen"]) == set(PROBES)
        assert not [words for words in one["seen"].values() if "?" in words]
    for name in PROBES:
        assert len({one["seen"][name] for one in recorded.values()}) > 1, name


def test_what_was_seen_is_recorded_and_a_difference_is_told(shared_broker, checkout):
    (checkout / "docs").mkdir()
    assert seen.look(shared_broker, root=checkout, probes={"x": lambda: "one"}) == []
    before = (checkout / changes.SEEN).read_bytes()
    now = shared_broker.generation
    assert json.loads(before)[now]["seen"] == {"x": "one"}
    told = seen.look(shared_broker, root=checkout, probes={"x": lambda: "two", "y": lambda: "a"})
    assert told == [f"x on {now}: recorded 'one', now 'two'"]
    assert (checkout / changes.SEEN).read_bytes() == before
    assert seen.look(shared_broker, root=checkout, probes={"y": lambda: "a"}) == []


def test_accepted_solutions_are_kept_for_each_lab_beside_what_was_seen(shared_broker, checkout):
    (checkout / "docs").mkdir()
    (checkout / "labs" / "lab03_x").mkdir(parents=True)
    seen.look(shared_broker, root=checkout, probes={})
    now = shared_broker.generation
    right = Verdict(3, (), "", 1.0, "r")
    solution = Solution(3, Path("a.py"), frozenset())
    outcomes = [Outcome(solution, right, ""), Outcome(solution, None, "no verdict")]
    seen.keep_solutions(shared_broker, outcomes, root=checkout)
    seen.keep_solutions(shared_broker, [Outcome(Solution(10, Path("b.py"), frozenset()),
                                                right, "")], root=checkout)  # fmt: skip
    seen.look(shared_broker, root=checkout, probes={})
    kept = changes.load_seen(checkout)[now]["solutions"]
    assert {lab: (one["accepted"], one["of"]) for lab, one in kept.items()} == {
        "3": (1, 2), "10": (1, 1),
    }  # fmt: skip
    words(checkout)
    assert "| [lab 3](../labs/lab03_x/) |" in changes.page(checkout)
    assert "1 of 2" in changes.page(checkout)


@pytest.mark.parametrize("text", ["{", "[]", '{"4.0": {}}', '{"4.0": {"seen": 3}}'])
def test_a_broken_record_is_refused_in_one_sentence(checkout, text):
    (checkout / "docs").mkdir()
    (checkout / changes.SEEN).write_text(text)
    with pytest.raises(UsageError, match=r"docs/rabbitmq-4\.json is no record of behaviours"):
        changes.load_seen(checkout)


# ── the page ──────────────────────────────────────────────────────────────────────────────────


def test_the_committed_page_is_made_of_what_is_stored():
    assert (ROOT / changes.FILE).read_text(encoding="utf-8") == changes.page()


@pytest.mark.parametrize(
    ("evidence", "values"),
    [
        ("its count: [2, 3] on 3.10, [1, 1] on 4.0; a: 1", {"3.10": "[2, 3]", "4.0": "[1, 1]"}),
        ("none, set: over 100 on 3.10, 21 on 4.3", {"3.10": "over 100", "4.3": "21"}),
        ("one on 3.10, two on 4.0", {"3.10": "one", "4.0": "two"}),
        ("the same: 4 on 3.10, 4 on 4.0", None),
        ("copies 40; other: 2", None),
        ("only: 3 on 4.0", None),
    ],
)
def test_a_changing_claim_is_told_by_its_evidence(evidence, values):
    found = changes.changes(Claim("q02.1", "holds", f"q02.1 holds: {evidence}"))
    assert [one.values for one in found] == ([values] if values else [])


def stored(checkout: Path, line: str) -> None:
    cell = code("check-1", CHECK.format(1), CHECK_TAG)
    cell.outputs = [v4.new_output("stream", name="stdout", text=line + "\n")]
    save(checkout, prose("# Q2 · What?"), prose("### One"), cell)


def words(checkout: Path, *claims: str) -> None:
    (checkout / "docs").mkdir(exist_ok=True)
    keys = ("question", "counted", "before", "now", "say")
    text = "".join(
        f'[claims."{name}"]\n' + "".join(f'{key} = "the {key}"\n' for key in keys)
        for name in claims
    )
    (checkout / changes.WORDS).write_text(text)


def test_the_page_has_a_changing_claim_with_its_words(checkout):
    stored(checkout, LINE)
    words(checkout, "q02.1")
    assert checkout / changes.FILE in write_tables(checkout)
    text = (checkout / changes.FILE).read_text()
    link = "[q02.1](../notebooks/q02_tiny.ipynb#cell-id=check-1)"
    assert f"| the question | the counted | 1 | 2 | 2 | {link} |" in text
    assert "### the question\n\n**Before:** the before\n" in text
    assert "section *One*: copies: 1 on 3.10, 2 on 4.0, 2 on 4.3." in text
    assert "Of 1 claims in the notebooks, 1 change: in the outcome" in text
    assert write_tables(checkout) == []


def test_words_and_measurements_that_do_not_match_are_refused(checkout):
    stored(checkout, LINE)
    words(checkout)
    with pytest.raises(
        UsageError, match=r"claim q02\.1 changes .* docs/rabbitmq-4\.toml must say how"
    ):
        changes.page(checkout)
    words(checkout, "q02.1", "q02.2")
    with pytest.raises(UsageError, match=r"explains the claim q02\.2, which does not change"):
        changes.page(checkout)
    stored(checkout, "q02.1 holds: copies 40")
    words(checkout, "q02.1")
    with pytest.raises(UsageError, match=r"explains the claim q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text('[claims."q02.1"]\nquestion = "?"\n')
    with pytest.raises(UsageError, match=r"rabbitmq-4\.toml has no 'counted' for q02\.1"):
        changes.page(checkout)
    (checkout / changes.WORDS).write_text("[")
    with pytest.raises(UsageError, match=r"can't read docs/rabbitmq-4\.toml"):
        changes.page(checkout)
