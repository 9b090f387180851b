"""Scratch vhosts: made once, removed at exit, swept after a kill, never taken while in use."""

import os
import re
import signal

import pytest

from helpers import broker
from helpers.broker import scratch
from helpers.errors import UsageError
from helpers.machine import locks
from tests.conftest import is_gone, run_python

LINE = r"RabbitMQ \S+ on Erlang \S+, pika 1\.\S+, Python 3\.\S+; scratch vhost {}-[0-9a-f]{{8}}\n"
OPEN_AND_WAIT = """
from helpers import broker
broker.open_vhost("child")
broker.clean_channel().queue_declare("q", durable=True)
print(broker.vhost(), flush=True)
input()
"""


def vhosts():
    return {vhost["name"] for vhost in broker.api("GET", "vhosts")}


def users():
    return {user["name"] for user in broker.api("GET", "users")}


def open_child(start_python):
    child = start_python(OPEN_AND_WAIT)
    assert re.fullmatch(LINE.format("child"), child.stdout.readline())
    return child, child.stdout.readline().strip()


def test_line_of_versions_and_the_same_vhost_twice(channel, capsys):
    first = broker.open_vhost("test")
    assert first == broker.vhost()
    assert first in vhosts()
    assert broker.open_vhost("other") == first
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 2
    assert first in printed.out
    assert printed.err == ""


@pytest.mark.parametrize("label", ["", "Q02", "a b", "-a", "a/b", "x" * 41])
def test_label_that_makes_no_sense(label):
    with pytest.raises(UsageError, match="lower-case letters"):
        broker.open_vhost(label)


def test_end_of_the_process_removes_vhost_user_and_lease(channel, start_python):
    child, name = open_child(start_python)
    assert name in vhosts() & users() & scratch.leases().keys()
    child.communicate("\n")
    assert child.returncode == 0
    assert name not in vhosts() | users() | scratch.leases().keys()


def test_killed_process_is_swept_and_a_living_one_is_not(channel, start_python):
    dead, left_behind = open_child(start_python)
    alive, in_use = open_child(start_python)
    dead.send_signal(signal.SIGKILL)
    dead.wait(10)
    assert is_gone(dead.pid)
    assert left_behind in vhosts()

    code = "from helpers import broker; broker.open_vhost('next')"
    done = run_python("-c", code)

    assert re.fullmatch(LINE.format("next"), done.stdout), done.stderr
    assert left_behind not in vhosts() | users() | scratch.leases().keys()
    assert {in_use, broker.vhost()} <= vhosts() & users()
    assert scratch.leases()[in_use]
    alive.communicate("\n")
    assert alive.returncode == 0


def test_lease_of_another_broker_is_left_and_one_of_a_gone_node_dropped(shared_broker):
    folder = scratch._leases()
    theirs, gone, broken = (folder / f"test-{name}.lock" for name in ("theirs", "gone", "broken"))
    elsewhere = '{"management_url": "http://192.0.2.1:15672", "source": "%s"}'
    theirs.write_text(elsewhere % "AMQP_URL")
    gone.write_text(elsewhere % "private node")
    broken.write_text("{")
    try:
        assert scratch.sweep(shared_broker) == []
        assert theirs.exists()
        assert not gone.exists()
        assert not broken.exists()
    finally:
        theirs.unlink()


def test_lease_can_be_held_once(tmp_path):
    lease = tmp_path / "lease"
    handle = locks.take(lease)
    assert handle is not None
    assert locks.in_use(lease)
    assert locks.take(lease) is None
    locks.drop(lease, handle)
    assert not lease.exists()
    assert not locks.in_use(lease)


def test_lock_on_a_swept_file_does_not_count(tmp_path, monkeypatch):
    lease = tmp_path / "lease"
    lock = locks._try_lock

    def sweep_between(handle):
        lease.unlink()
        return lock(handle)

    monkeypatch.setattr(locks, "_try_lock", sweep_between)
    assert locks.take(lease) is None


def test_child_of_a_fork_leaves_the_vhost_alone(channel):
    name = broker.vhost()
    pid = os.fork()
    if pid == 0:
        scratch.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert name in vhosts()
