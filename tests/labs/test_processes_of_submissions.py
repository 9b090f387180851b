"""A submission may work in child processes and threads, and its own processes differ."""

import signal
import threading
from pathlib import Path

import pytest

from labs.judge.faults import Fault
from labs.judge.trial import Trial
from tests.labs.conftest import Try, play

START = """
    import asyncio
    import concurrent.futures
    import multiprocessing
    import sqlite3
    import subprocess
    import sys
    import pika

    def run(url, store):
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.basic_qos(prefetch_count=1)
        def work(channel, method, properties, body):
            if in_child(store, properties.message_id):
                channel.basic_ack(method.delivery_tag)
        channel.basic_consume("jobs", work)
        channel.start_consuming()

    def write(store, job):
        db = sqlite3.connect(store)
        with db:
            db.execute("INSERT INTO done VALUES (?)", (job,))
        db.close()
        return True
"""
CHILD = """
    def in_child(store, job):
        context = multiprocessing.get_context({method!r})
        child = context.Process(target=write, args=(store, job))
        child.start()
        child.join()
        return child.exitcode == 0
"""
POOL = """
    def in_child(store, job):
        context = multiprocessing.get_context({method!r})
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(write, store, job).result()
"""
WAYS = {
    **{f"process by {method}": CHILD.format(method=method)
       for method in ("fork", "spawn", "forkserver")},
    **{f"pool by {method}": POOL.format(method=method)
       for method in ("fork", "spawn", "forkserver")},
    "default set to forkserver": """
    multiprocessing.set_start_method("forkserver")
""" + CHILD.format(method=None),
    "multiprocessing.Pool": """
    def in_child(store, job):
        with multiprocessing.get_context("forkserver").Pool(1) as pool:
            return pool.apply(write, (store, job))
""",
    "threads": """
    def in_child(store, job):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(write, store, job).result()
""",
    "asyncio": """
    def in_child(store, job):
        return asyncio.run(asyncio.to_thread(write, store, job))
""",
    "subprocess": """
    def in_child(store, job):
        code = "import sys, submission; submission.write(*sys.argv[1:])"
        return not subprocess.run([sys.executable, "-c", code, store, job]).returncode
""",
}  # fmt: skip
SEEN = [
    "delivery", "before effect", "after effect", "before commit", "after commit", "before ack",
    "after ack",
]  # fmt: skip


def moments(trial: Trial) -> list[str]:
    return [b.at for b in trial.watch.boundaries if b.at in SEEN]


@pytest.mark.parametrize("way", WAYS)
def test_the_boundaries_of_a_child_are_seen(attempt: Try, way: str):
    trial = attempt(START + WAYS[way])
    play(trial)
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1, quiet_s=8)
    assert moments(trial) == SEEN
    assert trial.history.story("job-0") == "message job-0: delivered to worker → effect → acked"
    trial.audit()


@pytest.mark.parametrize("way", WAYS)
def test_a_death_in_a_child_is_the_death_of_all(attempt: Try, way: str):
    for number in (SEEN.index("before commit"), SEEN.index("after commit")):
        trial = attempt(START + WAYS[way])
        trial.fault = Fault(number + 1, "kill")
        worker = play(trial)
        trial.watch.wait(lambda actor=worker: not actor.running, timeout_s=15, what="the death")
        assert worker.code == -signal.SIGKILL
        assert moments(trial) == SEEN[: number + 1]
        written = len(trial.rows("SELECT * FROM done"))
        assert written == (1 if SEEN[number] == "after commit" else 0)
        assert [m[2] for m in trial.take_all("jobs", expected=["job-0"])] == [b"work"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_cut_in_a_child_breaks_the_connection_of_its_parent(attempt: Try, method: str):
    trial = attempt(START + WAYS[f"process by {method}"])
    trial.fault = Fault(SEEN.index("before commit") + 1, "cut")
    worker = play(trial)
    trial.watch.wait(lambda: not worker.running, timeout_s=15, what="its end")
    assert worker.code == 1
    assert "Stream" in worker.error or "Connection" in worker.error or "AMQP" in worker.error
    assert len(trial.take_all("jobs", expected=["job-0"])) == 1


def test_a_held_child_blocks_no_other(attempt: Try):
    trial = attempt(START + WAYS["process by forkserver"])
    gate = threading.Event()
    trial.direct = lambda _, boundary: gate if boundary.at == "before commit" else "go"
    play(trial)
    trial.watch.wait(lambda: trial.watch.count("before commit"), timeout_s=15, what="the child")
    other = trial.start("run", trial.url, trial.store, name="other")
    trial.watch.wait(lambda: other.subscribed, timeout_s=15, what="the other")
    assert trial.rows("SELECT * FROM done") == []
    gate.set()
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1)


def test_a_hidden_sitecustomize_is_loaded_too(attempt: Try, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.hidden = True\n")
    trial = attempt("""
        import os, subprocess, sys
        def run(url, store):
            os.environ["PYTHONPATH"] += os.pathsep + os.path.dirname(__file__)
            code = "import sys; print(sys.hidden, 'submission' in sys.modules)"
            return subprocess.check_output([sys.executable, "-c", code], text=True)
    """)
    trial.fresh()
    assert trial.call("run", trial.url, trial.store) == "True False\n"


def test_actors_differ_in_hash_seed_and_working_folder(attempt: Try):
    trial = attempt("""
        import os
        def run(*_):
            return [[hash(f"document-{number}") % 4 for number in range(8)], os.getcwd()]
        def dies():
            print(*run())
            os.kill(os.getpid(), 9)
    """)
    trial.fresh()
    (first, here), (second, there), (third, again) = (trial.call("run") for _ in range(3))
    assert first != second
    assert first[7] != second[7]
    assert here != there
    assert (first, here) == (third, again)
    dying = trial.start("dies", restarts=1)
    trial.watch.wait(lambda: not dying.running, timeout_s=10, what="its death")
    restarted = trial.actors[-1]
    trial.watch.wait(lambda: not restarted.running, timeout_s=10, what="its second death")
    assert dying.output.read_text() != restarted.output.read_text()
