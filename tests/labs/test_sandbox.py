"""A submission cannot outlive its check, exceed its limits, or read credentials."""

import signal
from pathlib import Path

import psutil
import pytest

from labs.judge.errors import UnusableError
from labs.judge.sandbox import process_tree
from tests.labs.conftest import Try, play


def test_a_fork_bomb_ends_with_all_its_processes(attempt: Try):
    trial = attempt("import os\ndef run(url, store):\n    while True: os.fork()", processes=20)
    play(trial)
    host = trial._pool._host.pid
    with pytest.raises(UnusableError, match="more than 20 processes"):
        trial.watch.settle(lambda: False, timeout_s=20, quiet_s=20)
    trial._pool.close()
    assert process_tree.members(host) == []
    assert not psutil.pid_exists(host)


def test_orphans_in_other_process_groups_are_ended(attempt: Try):
    trial = attempt("""
        import os, time
        def run(url, store):
            if os.fork() == 0:
                os.setsid()
                if os.fork():
                    os._exit(0)
                open(store + ".orphan", "w").write(str(os.getpid()))
                time.sleep(600)
            time.sleep(600)
    """)
    play(trial)
    note = Path(trial.store + ".orphan")
    trial.watch.wait(lambda: note.exists() and note.read_text(), timeout_s=10, what="the orphan")
    host = trial._pool._host.pid
    assert int(note.read_text()) in [process.pid for process in process_tree.members(host)]
    trial._pool.close()
    assert process_tree.members(host) == []


def test_output_memory_and_time_are_limited(attempt: Try):
    trial = attempt(
        "def run(url, store):\n    while True: print('x' * 100_000)\n"
        "def hoard():\n    kept = []\n    while True: kept.append(bytearray(10**7))\n"
        "def spin():\n    while True: pass\n",
        file_mib=1, memory_mib=400, cpu_s=1,
    )  # fmt: skip
    flooding = play(trial)
    hoarding, spinning = trial.start("hoard"), trial.start("spin")
    actors = [flooding, hoarding, spinning]
    trial.watch.wait(
        lambda: not any(actor.running for actor in actors), timeout_s=20, what="their ends"
    )
    assert flooding.output.stat().st_size <= 1024 * 1024
    assert "MemoryError" in hoarding.error
    assert spinning.code in (-signal.SIGKILL, -signal.SIGXCPU)


def test_its_environment_has_no_credentials(attempt: Try, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AMQP_SECRET", "swordfish")
    trial = attempt("import os\ndef run(url, store): return dict(os.environ)")
    trial.fresh()
    seen = trial.call("run", trial.url, trial.store)
    assert "swordfish" not in seen.values()
    assert not [name for name in seen if "URL" in name]
