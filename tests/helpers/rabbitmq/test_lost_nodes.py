"""A node whose folder was moved or deleted is found and ended; others are left alone."""

import json
import os
import shutil
import signal

import psutil
import pytest

from helpers.machine.processes import Identity
from helpers.rabbitmq import lost_nodes, server
from tests.conftest import child_environment, run_python, wait_gone

pytestmark = pytest.mark.skipif(
    server.why_no_server() is not None, reason=f"no private node here: {server.why_no_server()}"
)
USE = """
from helpers import broker
channel = broker.clean_channel()
channel.queue_declare("q", durable=True)
channel.confirm_delivery()
channel.basic_publish("", "q", b"1")
print(channel.queue_declare("q", passive=True).method.message_count)
"""


def run(home, *arguments):
    return run_python(*arguments, environment=child_environment(home=home))


def command(home, name, *, code=0):
    done = run(home, "-m", "helpers", name)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def pids(home):
    noted = json.loads((home / "node" / "state.json").read_text())
    return noted["vm"]["pid"], noted["epmd"]["pid"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Return a folder in which a node runs that stays where it is."""
    home = tmp_path_factory.mktemp("kept")
    command(home, "up")
    yield home
    command(home, "down")


@pytest.fixture
def home(tmp_path):
    """Return a folder in which a node runs; what is still there ends with the test."""
    home = tmp_path / "home"
    command(home, "up")
    yield home
    for place in (home, tmp_path / "moved"):
        command(place, "down")


@pytest.mark.slow
def test_a_node_whose_folder_was_moved_is_replaced(home, tmp_path):
    before = pids(home)
    moved = tmp_path / "moved"
    home.rename(moved)
    assert "lost its folder" in command(moved, "doctor", code=1)
    told = command(moved, "up")
    assert f"Ended: a node of RabbitMQ that lost its folder {home / 'node'}" in told
    for pid in before:
        wait_gone(pid)
    assert not set(pids(moved)) & set(before)
    assert run(moved, "-c", USE).stdout.splitlines()[-1] == "1"


@pytest.mark.slow
def test_a_node_whose_folder_was_deleted_is_ended_by_up(home, monkeypatch):
    before = pids(home)
    shutil.rmtree(home)
    lost = f"a node of RabbitMQ that lost its folder {home / 'node'}"
    assert f"LOOK  {lost}" in command(home, "doctor", code=1)
    monkeypatch.setenv("RABBIT_LAB_HOME", str(home))
    (found,) = [node for node in lost_nodes.find() if node.folder == home / "node"]
    assert {process.pid for process in found.processes} == set(before)
    with monkeypatch.context() as other:
        other.setattr(lost_nodes, "_sees_the_same", lambda pid: False)  # as from a container
        assert not lost_nodes.find()
    assert f"Ended: {lost}" in command(home, "up")
    for pid in before:
        wait_gone(pid)
    assert not set(pids(home)) & set(before)


@pytest.mark.slow
def test_an_epmd_whose_folder_was_deleted_is_ended_by_down(home):
    vm, epmd = pids(home)
    Identity(vm, psutil.Process(vm).create_time(), lost_nodes.VM).kill()
    shutil.rmtree(home)
    assert "lost its folder" in command(home, "down")
    wait_gone(epmd)
    assert command(home, "down") == "Nothing was running.\n"


@pytest.mark.slow
def test_a_stopped_node_is_replaced_on_its_ports(home):
    vm, _ = pids(home)
    before = json.loads((home / "node" / "state.json").read_text())
    os.kill(vm, signal.SIGSTOP)
    told = command(home, "up")
    at = f"127.0.0.1:{before['ports']['amqp']}"
    assert f"The private RabbitMQ node at {at} has stopped answering" in told
    assert "The private RabbitMQ node was replaced: on the same ports, with empty data." in told
    wait_gone(vm)
    after = json.loads((home / "node" / "state.json").read_text())
    assert (after["ports"], after["password"]) == (before["ports"], before["password"])
    assert after["name"] != before["name"]


@pytest.mark.slow
def test_a_copy_of_a_checkout_neither_uses_nor_ends_the_node_of_the_first(kept, tmp_path):
    before = pids(kept)
    copy = tmp_path / "copy"
    shutil.copytree(kept, copy)
    assert "Not running" in command(copy, "status")
    assert command(copy, "down") == "Nothing was running.\n"
    assert all(psutil.pid_exists(pid) for pid in before)


@pytest.mark.slow
def test_a_folder_reached_by_another_path_is_the_same(kept, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(kept)
    assert "is up (private node)" in command(link, "status")


@pytest.mark.slow
def test_a_node_of_another_checkout_may_be_on_its_way(kept, tmp_path, monkeypatch):
    own = set(pids(kept))
    notes = kept / "node" / "state.json"
    text = notes.read_text()
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path / "other"))

    def found() -> set[int]:
        return {p.pid for node in lost_nodes.find() for p in node.processes} & own

    notes.unlink()
    try:
        monkeypatch.setattr(lost_nodes, "YOUNG_S", 3600.0)
        assert not found()
        monkeypatch.setattr(lost_nodes, "YOUNG_S", 0.0)
        assert found() == own
    finally:
        notes.write_text(text)
        notes.chmod(0o600)
    assert not found()


def test_only_nodes_of_this_project_count(tmp_path, start_python, monkeypatch):
    gone = tmp_path / "gone"
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    environment = child_environment(**{lost_nodes.VARIABLE: str(gone)})
    bystander = start_python("print('up'); input()  # -rabbit_lab -port", environment)
    assert bystander.stdout.readline() == "up\n"
    assert lost_nodes.folder_of(bystander.pid) == gone
    assert not [node for node in lost_nodes.find() if node.folder == gone]
