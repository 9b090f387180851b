"""Web servers that are programs of their own, and the load on them."""

import socket
import time

import pytest

from helpers import web
from helpers.errors import RabbitLabError, UsageError, WaitTimeoutError
from helpers.waits import wait_until
from tests.helpers.test_processes import is_running

LATER_S = 5  # enough for a program to start and print


def double(number):
    return 2 * int(number)


def hello(refuse_from, nap_s):
    import os
    import time

    import uvicorn
    from fastapi import FastAPI, HTTPException

    app = FastAPI()

    @app.post("/double/{number}")
    def answer(number: str):
        time.sleep(nap_s)
        if int(number) >= refuse_from:
            raise HTTPException(503)
        print(f"doubled {double(number)}")

    print(f"pid {os.getpid()}")
    uvicorn.run(app, port=0, access_log=False)


def fail():
    raise SystemExit("no port to be had")


def never(text):
    import time

    if text:
        print(text)
    time.sleep(60)


@pytest.fixture(scope="module")
def server():
    with web.serve(hello, 6, 0, uses=[double]) as running:
        yield running


def test_server_answers_when_the_block_begins(server):
    assert server.url.startswith("http://127.0.0.1:")
    assert server.post("/double/5", timeout_s=10) == 200
    assert server.process.wait_for_line("doubled 10", timeout_s=5) in server.process.lines
    assert server.post("/nothing", timeout_s=10) == 404
    assert server.url in repr(server)


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert server.post("/double/5", timeout_s=10) == 200


def test_every_request_of_a_load_is_sent_once_and_timed(server):
    frame = web.load(server, "/double/", requests_count=9, clients=4, timeout_s=10)
    assert list(frame.index) == list(range(9))
    assert list(frame["status"]) == [200] * 6 + [503] * 3
    assert (frame["latency_ms"] > 0).all()
    assert frame["start_s"].between(0, 10).all()


def test_clients_wait_for_an_answer_before_their_next_request():
    with web.serve(hello, 9, 0.1, uses=[double]) as slow:
        frame = web.load(slow, "/double/", requests_count=4, clients=2, timeout_s=10)
    assert (frame["latency_ms"] >= 100).all()
    assert (frame["start_s"].loc[[2, 3]] >= 0.1).all()


def test_no_answer_is_status_0():
    with web.serve(hello, 9, 30, uses=[double]) as stuck:
        start = time.perf_counter()
        assert stuck.post("/double/1", timeout_s=0.2) == web.UNANSWERED
        assert time.perf_counter() - start < 20
    frame = web.load(stuck, "/double/", requests_count=2, clients=2, timeout_s=1)
    assert list(frame["status"]) == [0, 0]


def test_leaving_the_block_ends_the_server():
    with web.serve(hello, 9, 0) as gone:
        pid = int(gone.process.wait_for_line("pid", timeout_s=5).split()[1])
        assert is_running(pid)
    wait_until(lambda: not is_running(pid), timeout_s=10, what="the server's end")
    address = ("127.0.0.1", int(gone.url.rpartition(":")[2]))
    with pytest.raises(OSError), socket.create_connection(address, timeout=2):
        pass


def test_a_server_that_ends_before_it_listens_is_named():
    with (
        pytest.raises(RabbitLabError, match=r"(?s)ended with 1 before it printed.*no port"),
        web.serve(fail),
    ):
        pass


@pytest.mark.parametrize(("text", "said"), [("", "it said nothing"), ("x", "it said:\nx")])
def test_a_server_that_does_not_listen_in_time_is_given_up_with_what_it_said(text, said):
    with pytest.raises(WaitTimeoutError) as raised, web.serve(never, text, timeout_s=LATER_S):
        pass
    what = "the program to print 'Uvicorn running on '"
    assert str(raised.value) == f"timed out after {LATER_S} s waiting for {what}; {said}"


@pytest.mark.parametrize(("count", "clients"), [(0, 1), (4, 5), (4, 0), (1001, 4)])
def test_a_load_out_of_range_is_refused(server, count, clients):
    with pytest.raises(UsageError, match="clients must be 1 to requests_count"):
        web.load(server, "/double/", requests_count=count, clients=clients, timeout_s=1)
