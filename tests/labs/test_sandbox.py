"""A submission cannot outlive its check, exceed its limits, or read credentials."""

import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from helpers.waits import wait_until
from labs.judge import checking
from labs.judge.errors import UnusableError
from labs.judge.sandbox import bubblewrap, process_tree, untouched
from labs.judge.sandbox.limits import Limits
from tests.labs.conftest import Try, play


def test_a_fork_bomb_ends_with_all_its_processes(attempt: Try):
    trial = attempt("import os\ndef run(url, store):\n    while True: os.fork()", processes=20)
    play(trial)
    hosts = [host.pid for host in trial._pool._hosts]
    with pytest.raises(UnusableError, match="more than 20 processes"):
        trial.watch.settle(lambda: False, timeout_s=20, quiet_s=20)
    trial._pool.close()
    assert [process_tree.members(host) for host in hosts] == [[], []]
    assert not any(psutil.pid_exists(host) for host in hosts)


def test_a_reason_that_comes_during_another_look_stays(
    attempt: Try, monkeypatch: pytest.MonkeyPatch
):
    trial = attempt("import time\ndef run(url, store): time.sleep(600)")
    actor = play(trial)
    trial.watch.wait(lambda: actor.loaded, timeout_s=30, what="its function")
    pool = trial._pool

    def host_dies() -> str:
        os.kill(pool._hosts[0].pid, signal.SIGKILL)
        wait_until(lambda: pool.unusable, timeout_s=30, what="the end of the host to be noted")
        return ""

    monkeypatch.setattr(pool.ledger, "problem", host_dies)
    assert pool.why_unusable().startswith("it ended the process that runs it")


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
    hosts = [host.pid for host in trial._pool._hosts]
    everybody = [process for host in hosts for process in process_tree.members(host)]
    orphan = next(
        process for process in everybody if innermost_pid(process.pid) == int(note.read_text())
    )
    trial._pool.close()
    assert not psutil.pid_exists(orphan.pid)
    assert [process_tree.members(host) for host in hosts] == [[], []]


def innermost_pid(pid: int) -> int:
    """Return the number of a process in its own namespace."""
    match = re.search(r"^NSpid:.*?(\d+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match
    return int(match[1])


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
    assert spinning.code == -signal.SIGXCPU


def test_its_environment_has_no_credentials(attempt: Try, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AMQP_SECRET", "swordfish")
    trial = attempt("import os\ndef run(url, store): return dict(os.environ)")
    trial.fresh()
    seen = trial.call("run", trial.url, trial.store)
    assert "swordfish" not in seen.values()
    assert not [name for name in seen if "URL" in name]


ENDS = {
    "no memory": (
        "    kept = []\n    while True: kept.append(bytearray(10**7))",
        r"run\(\) ended with MemoryError: a process may use 400 MiB \(line \d+\)",
    ),
    "no CPU time": (
        "    while True: pass",
        r"run\(\) ended with SIGXCPU: it used more CPU time than a process may",
    ),
    "a big file": (
        "    open('big', 'wb').write(bytes(2 * 1024 * 1024))",
        r"run\(\) ended with OSError: \[Errno 27\] File too large \(line \d+\)",
    ),
    "a big file, with the signal": (
        "    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "    open('big', 'wb').write(bytes(2 * 1024 * 1024))",
        r"run\(\) ended with SIGXFSZ: it wrote a bigger file than a process may",
    ),
    "a crash": (
        "    ctypes.string_at(0)",
        r"run\(\) ended with SIGSEGV: the Python interpreter crashed",
    ),
    "a signal": (
        "    os.kill(os.getpid(), signal.SIGTERM)",
        r"run\(\) ended with SIGTERM",
    ),
    "a full disk": (
        "    open('/dev/full', 'w').write('x' * 10**6)",
        r"run\(\) ended with OSError: \[Errno 28\] No space left on device \(line \d+\); the check"
        r" did not pretend it: look for room",
    ),
    "a full store": (
        "    db = sqlite3.connect(store)\n    db.execute('PRAGMA max_page_count = 1')\n"
        "    db.executemany('INSERT INTO done VALUES (?)', [('x' * 1000,)] * 100)",
        r"run\(\) ended with OperationalError: database or disk is full \(line \d+\); the check did"
        r" not pretend it: look for room",
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_each_end_has_its_own_words(attempt: Try, end: str):
    body, words = ENDS[end]
    imports = "import ctypes, os, signal, sqlite3\n"
    trial = attempt(f"{imports}def run(url, store):\n{body}\n", memory_mib=400, cpu_s=1, file_mib=1)
    actor = play(trial)
    trial.watch.wait(lambda: not actor.running, timeout_s=60, what="its end")
    assert re.fullmatch(words, trial.trouble()), trial.trouble()


def test_a_crash_while_loading_has_its_words(attempt: Try):
    trial = attempt("import ctypes\nctypes.string_at(0)")
    with pytest.raises(UnusableError, match=r"while it was loaded \(SIGSEGV: the Python interp"):
        play(trial)
        trial.watch.settle(lambda: False, timeout_s=20, quiet_s=20)


# As in a container that may not make namespaces.
FAILING = """#!/bin/sh
echo 'bwrap: Creating new namespace failed: Operation not permitted' >&2
exit 1
"""


def test_a_sandbox_that_cannot_start_is_known_and_not_used(
    attempt: Try, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text(FAILING)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    assert bubblewrap.program() == str(fake)
    reason = "bubblewrap cannot start here: Creating new namespace failed: Operation not permitted"
    assert bubblewrap.why_not() == reason
    trial = attempt("def run(url, store): return 5", sandboxed=True)
    trial.fresh()
    assert trial.call("run", trial.url, trial.store) == 5


def test_without_bubblewrap_there_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install bubblewrap" in bubblewrap.why_not()
    assert bubblewrap.sandboxed(["x"], submission=tmp_path / "x.py", folder=tmp_path) == ["x"]


def vandal(place: Path) -> str:
    return (
        "def run_worker(url, store):\n"
        f"    for name in ('labs/lab05/check.py', 'notebooks/claims.py'):\n"
        f"        open({str(place)!r} + '/' + name, 'a').write('# mine')\n"
    )


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for the checkout."""
    place = tmp_path / "checkout"
    for name in ("labs/lab05/check.py", "notebooks/claims.py", "helpers/__init__.py"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("LAB = 5\n")
    monkeypatch.setattr(untouched, "ROOT", place)
    return place


@pytest.mark.parametrize("sandboxed", [True, False])
def test_a_submission_cannot_change_the_checkout_unnoticed(
    tmp_path: Path, shared_broker, checkout: Path, *, sandboxed: bool
):
    if sandboxed and bubblewrap.why_not():
        pytest.skip(bubblewrap.why_not())
    file = tmp_path / "mine" / "lab05.py"
    file.parent.mkdir()
    file.write_text(vandal(checkout))
    verdict = checking.check(5, file, limits=Limits(sandboxed=sandboxed))
    changed = "mine" in (checkout / "labs/lab05/check.py").read_text()
    assert changed == (not sandboxed)
    assert ("labs/lab05/check.py, notebooks/claims.py; bring" in verdict.unusable) == changed
