"""A submission may work in child processes and threads, and its processes differ as real ones do."""

import signal

import pytest

from labs.judge.faults import Fault
from labs.judge.trial import Trial
from tests.labs.conftest import WORKER, Try, play

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
    multiprocessing.set_start_method("forkserver", force=True)
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
