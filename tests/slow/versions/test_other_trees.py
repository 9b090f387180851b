"""Tests of a RabbitMQ that runs from the root file system of another Debian release."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from helpers import __main__ as command_line
from helpers.errors import RabbitLabError
from helpers.machine.paths import ROOT
from tests.conftest import child_environment, run_python
from tests.slow.offline import generation, standins, wrapper


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
    with pytest.raises(wrapper.NoOtherTreeError, match="RabbitMQ is not installed in it"):
        wrapper.write(tmp_path / "bin", tree=tmp_path / "empty", home=tmp_path / "home")


@pytest.mark.skipif(wrapper.why_not() is not None, reason=str(wrapper.why_not()))
def test_a_tree_whose_programs_cannot_run_gives_the_reason(tmp_path):
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
        pytest.raises(RabbitLabError, match=r"another process .* uses the stand-in of .* 4\.0"),
        generation.running("4.0"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.slow
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


@pytest.mark.slow
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
