"""The judge of the labs: boundaries, kills and cuts at them, and sweeps through all of them."""

import signal
import threading
import time

import pytest
from pika import BasicProperties
from pika.exceptions import ChannelClosedByBroker

from helpers import broker
from helpers.errors import WaitTimeoutError
from helpers.waits import wait_until
from labs.judge import actor as actor_module
from labs.judge import connecting, draining, faults
from labs.judge.actor import Actor, Boundary
from labs.judge.errors import OutOfTimeError, UnusableError
from labs.judge.faults import Fault
from labs.judge.findings import Broken
from labs.judge.sandbox.limits import Limits
from labs.judge.sweep import chosen, crash_points
from labs.judge.trial import Trial, go_on
from tests.labs.conftest import WORKER, Try, play

MOMENTS = [
    "delivery", "before effect", "after effect", "before commit", "after commit", "before ack",
    "after ack",
]  # fmt: skip


def moments(trial: Trial) -> list[str]:
    return [
        boundary.at
        for boundary in trial.watch.boundaries
        if boundary.at not in ("loaded", "subscribed")
    ]


def test_boundaries_come_in_the_order_of_the_code(attempt: Try):
    trial = attempt()
    play(trial)
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
    assert moments(trial) == MOMENTS
    assert trial.points == len(MOMENTS)
    assert trial.history.story("job-0") == "message job-0: delivered to worker → effect → acked"


@pytest.mark.parametrize("point", range(1, len(MOMENTS) + 1))
def test_worker_dies_at_the_boundary_and_not_later(attempt: Try, point: int):
    trial = attempt()
    trial.fault = Fault(point, "kill")
    worker = play(trial)
    trial.watch.wait(lambda: not worker.running, timeout_s=10, what="the death")
    assert worker.code == -signal.SIGKILL
    assert moments(trial) == MOMENTS[:point]
    written = len(trial.rows("SELECT * FROM done"))
    assert written == (1 if point > MOMENTS.index("before commit") + 1 else 0)
    if point <= MOMENTS.index("before ack") + 1:
        assert [message[2] for message in trial.take_all("jobs", expected=["job-0"])] == [b"work"]
    assert "worker killed" in trial.history.story("job-0")


def test_a_cut_breaks_the_connection_but_not_the_process(attempt: Try):
    trial = attempt()
    trial.fault = Fault(MOMENTS.index("before ack") + 1, "cut")
    worker = play(trial)
    trial.watch.wait(lambda: not worker.running, timeout_s=10, what="its end")
    assert worker.code == 1
    assert "Stream" in worker.error or "Connection" in worker.error or "AMQP" in worker.error
    assert len(trial.take_all("jobs", expected=["job-0"])) == 1


def test_a_supervisor_restarts_it_and_the_message_is_redelivered(attempt: Try):
    trial = attempt()
    trial.fault = Fault(1, "kill")
    play(trial, restarts=1)
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
    assert [actor.code for actor in trial.actors] == [-signal.SIGKILL, None]
    assert trial.rows("SELECT job FROM done") == [("job-0",)]
    redelivered = [
        boundary.details["redelivered"]
        for boundary in trial.watch.boundaries
        if boundary.at == "delivery"
    ]
    assert redelivered == [False, True]


def test_a_held_actor_blocks_no_other(attempt: Try):
    trial = attempt()
    gate, first = threading.Event(), []

    def direct(actor: Actor, boundary: Boundary):
        if boundary.at == "before effect" and not first:
            first.append(actor.name)
            return gate
        return "go"

    play(trial)
    trial.start("run", trial.url, trial.store, name="other")
    trial.direct = direct
    trial.watch.wait(lambda: trial.watch.count("subscribed") == 2, timeout_s=10, what="both")
    for number in (1, 2, 3):
        trial.channel.basic_publish("", "jobs", b"", BasicProperties(message_id=f"job-{number}"))
    trial.watch.settle(lambda: trial.watch.count("after ack") >= 1, quiet_s=3)
    held = len(trial.rows("SELECT * FROM done"))
    gate.set()
    trial.direct = go_on
    assert trial.watch.settle(lambda: len(trial.rows("SELECT * FROM done")) == 4)
    assert 0 < held < 4


def test_return_values_and_errors_are_known(attempt: Try):
    trial = attempt("""
        def five(): return {"answer": 5}
        def fails(): return 1 / 0
        def leaves(): raise SystemExit(3)
    """)
    trial.fresh()
    assert trial.call("five") == {"answer": 5}
    assert trial.call("fails") is None
    assert trial.trouble() == "fails() ended with ZeroDivisionError: division by zero (line 3)"
    actor = trial.start("leaves")
    trial.watch.wait(lambda: not actor.running, timeout_s=10, what="its end")
    assert not actor.returned


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("def run(url, store)\n    pass", "line 1: expected ':'"),
        ("x = 1", "it has no function run()"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import os\ndef run(url, store): os.kill(os.getppid(), 9)", "it ended the process"),
    ],
)
def test_an_unusable_submission_has_a_reason_at_once(attempt: Try, source: str, says: str):
    trial = attempt(source)
    with pytest.raises(UnusableError, match=says.replace("(", r"\(").replace(")", r"\)")):
        play(trial)
        trial.watch.settle(lambda: False, timeout_s=20, quiet_s=20)
        trial.start("run", trial.url, trial.store)


def test_the_whole_check_has_a_deadline(attempt: Try):
    trial = attempt(seconds=0.5)
    play(trial)
    with pytest.raises(OutOfTimeError):
        trial.watch.settle(lambda: False, timeout_s=20, quiet_s=20)


def test_a_check_may_take_longer_than_a_heartbeat(attempt: Try):
    """While the judge waits, it serves no heartbeat: the broker must not end its connections."""
    trial = attempt()
    trial.fresh("jobs (id TEXT PRIMARY KEY)")
    held = connecting.confirmed_channel()  # dropped, it would end whenever Python collects it
    open_ones = wait_until(
        lambda: len(found := broker.api("GET", "vhosts/{vhost}/connections")) == 2 and found,
        timeout_s=30,
        what="both connections in the management API",
    )
    assert {int(one["timeout"]) for one in open_ones} == {connecting.HEARTBEAT_S}
    assert held.is_open
    assert Limits().seconds < connecting.HEARTBEAT_S


def test_a_timeout_names_what_was_waited_for(attempt: Try):
    trial = attempt()
    trial.fresh()
    with pytest.raises(WaitTimeoutError, match="3 miracles"):
        trial.watch.wait(lambda: False, timeout_s=0.1, what="3 miracles")


def test_a_sweep_has_a_fault_at_every_point_once(attempt: Try):
    trial = attempt()
    points: list[int] = []

    def one_play() -> Broken | None:
        play(trial, restarts=2)
        trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
        points.extend(fault.point for fault in [trial.fault] if fault and fault.point)
        return None

    assert crash_points(trial, one_play) is None
    assert points == list(range(1, len(MOMENTS) + 1))
    assert trial.fault is None


def test_a_sweep_stops_at_the_first_finding(attempt: Try):
    trial = attempt()

    def one_play() -> Broken | None:
        play(trial, restarts=2)
        trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
        twice = len(trial.rows("SELECT * FROM done")) > 1
        return Broken("a", trial.history.story("job-0"), "exactly-once-delivery") if twice else None

    broken = crash_points(trial, one_play)
    assert broken is not None
    assert "effect → worker killed after commit → delivered to worker again" in broken.story


def test_code_that_bypasses_the_boundaries_is_not_judged(attempt: Try):
    trial = attempt(
        WORKER.replace("channel.basic_consume(", "raw(channel, ")
        + """
    def raw(channel, *arguments):
        type(channel).basic_consume.__wrapped__(channel, *arguments)
    """
    )

    def one_play() -> Broken | None:
        play(trial)
        trial.watch.settle(lambda: trial.rows("SELECT * FROM done"))
        return None

    with pytest.raises(UnusableError, match="bypasses pika"):
        crash_points(trial, one_play, least=7)


@pytest.mark.parametrize(
    ("points", "most", "expected"),
    [(0, 5, []), (3, 5, [1, 2, 3]), (10, 5, [1, 3, 5, 7, 9]), (7, 2, [1, 4])],
)
def test_chosen_points_are_spread_evenly(points: int, most: int, expected: list[int]):
    assert list(chosen(points, most)) == expected


def test_take_all_ignores_a_missing_queue_but_no_refusal(attempt: Try, monkeypatch):
    trial = attempt()
    trial.fresh()
    assert trial.take_all("nowhere") == []

    def refused(connection, queue):
        raise ChannelClosedByBroker(403, "ACCESS_REFUSED")

    monkeypatch.setattr(draining, "drain", refused)
    with pytest.raises(ChannelClosedByBroker):
        trial.take_all("jobs")


STUBBORN = """
    import sqlite3, time
    import pika

    def run(url, store):
        db = sqlite3.connect(store)
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.confirm_delivery()
        def work(channel, method, properties, body):
            errors = []
            for _ in range(3):
                try:
                    with db:
                        db.execute("INSERT INTO done VALUES (?)", (properties.message_id,))
                    break
                except sqlite3.Error as error:
                    errors.append(str(error))
            with db:
                db.execute("INSERT INTO done VALUES (?)", (str(errors),))
            channel.basic_ack(method.delivery_tag)
        channel.basic_consume("jobs", work)
        channel.start_consuming()
"""


@pytest.mark.parametrize(
    ("point", "says"),
    [(1, "database is locked"), (2, "database or disk is full"), (3, "disk I/O error")],
)
def test_a_write_fails_as_sqlite_fails_and_only_once(attempt: Try, point: int, says: str):
    trial = attempt(STUBBORN)
    trial.fault = Fault(point, "fail", failures=faults.WRITES)
    play(trial)
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1 or trial.trouble())
    rows = [job for (job,) in trial.rows("SELECT job FROM done")]
    if point < 3:
        assert rows == ["job-0", f"['{says}']"]  # what failed left nothing behind
    else:
        assert says in trial.trouble()  # the second insert is not tried again
        assert rows == ["job-0"]
    assert says in trial.history.story("job-0")


PUBLISHER = """
    import pika

    def run(url, store):
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.confirm_delivery()
        try:
            channel.basic_publish("", "jobs", b"more", mandatory=True)
        except Exception as error:
            return type(error).__name__
"""


@pytest.mark.parametrize(
    ("way", "error"),
    [("nack", "NackError"), ("close", "ChannelClosedByBroker"), ("return", "UnroutableError")],
)
def test_the_broker_itself_refuses_a_publish(attempt: Try, way: str, error: str):
    trial = attempt(PUBLISHER)
    trial.fault = Fault(1, "fail", failures={"before publish": (way,)})
    trial.fresh().queue_declare("jobs", durable=True)
    assert trial.call("run", trial.url, trial.store) == error
    assert trial.take_all("jobs") == []
    trial.fault = None
    trial.fresh().queue_declare("jobs", durable=True)
    assert trial.call("run", trial.url, trial.store) is None
    assert len(trial.take_all("jobs", expected=[""])) == 1


def test_a_sweep_lets_each_write_fail_once(attempt: Try):
    trial = attempt()
    failed: list[str] = []

    def one_play() -> Broken | None:
        play(trial, restarts=2)
        assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
        failed.extend(event.detail for event in trial.history.events("fail"))
        return None

    assert crash_points(trial, one_play, actions=("fail",)) is None
    assert failed == ["database is locked before effect", "database or disk is full before commit"]


@pytest.mark.parametrize(
    "slow",
    [
        "time.sleep(1.5)\n        db = sqlite3",
        "db = sqlite3.connect(store); time.sleep(3); sqlite3",
    ],
)
def test_silence_is_not_the_end_while_a_process_runs(attempt: Try, slow: str):
    trial = attempt(WORKER.replace("db = sqlite3", slow).replace("sqlite3\n", "sqlite3, time\n", 1))
    play(trial)
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1, quiet_s=0.2)


def test_a_play_waits_long_in_vain_only_once(attempt: Try):
    trial = attempt()
    for _ in range(2):
        play(trial)
        assert trial.watch.settle(lambda: trial.watch.count("after ack") == 1)
        began = time.monotonic()
        assert trial.watch.settle(lambda: False, quiet_s=0.1, patience_s=2) is None
        waited_s, began = time.monotonic() - began, time.monotonic()
        assert trial.watch.settle(lambda: False, quiet_s=0.1, patience_s=200) is None
        assert time.monotonic() - began < waited_s < 20


def test_nobody_waits_for_code_that_has_ended(attempt: Try):
    trial = attempt("def run(url, store): pass")
    play(trial)
    assert trial.watch.settle(lambda: False, quiet_s=0.1, patience_s=200, timeout_s=300) is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "import os\nos._exit(0)\ndef run(url, store): pass",
            "ended its process",
        ),
        ("import time\ntime.sleep(60)\ndef run(url, store): pass", "did not finish loading within"),
    ],
)
def test_a_file_that_ends_or_blocks_while_it_is_loaded_is_said(
    attempt: Try, source: str, says: str, monkeypatch
):
    monkeypatch.setattr(actor_module, "LOADING_S", 2.0)
    trial = attempt(source)
    play(trial)
    with pytest.raises(UnusableError, match=says):
        trial.watch.settle(lambda: False)


def test_an_ack_of_several_counts_for_each(attempt: Try):
    trial = attempt("""
        import pika
        def run(url, store):
            channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
            tags = []
            def work(channel, method, properties, body):
                tags.append(method.delivery_tag)
                if len(tags) == 3:
                    channel.basic_ack(tags[-1], multiple=True)
            channel.basic_consume("jobs", work)
            channel.start_consuming()
    """)
    play(trial, jobs=3)
    assert trial.watch.settle(lambda: trial.watch.count("after ack"))
    assert [trial.watch.count("after ack", f"job-{number}") for number in range(3)] == [1, 1, 1]
