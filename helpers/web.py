"""Run web servers on loopback, and send them a bounded load of requests."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

from helpers.errors import UsageError
from helpers.machine.http import loopback_session
from helpers.processes import Process, in_process

if TYPE_CHECKING:
    import pandas as pd

UNANSWERED = 0  # in place of a status
LISTENS = "Uvicorn running on "


class Server:
    """A web server in a child process; see ``serve``."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    def __repr__(self) -> str:
        return f"Server({self.url}, {self.process!r})"

    def post(self, path: str, *, timeout_s: float) -> int:
        """Send one POST, wait ``timeout_s`` seconds at most, and return the status, 0 for none."""
        with loopback_session() as session:
            return _post(session, self.url + path, timeout_s)


@contextmanager
def serve(
    function: Callable[..., object],
    *args: object,
    uses: Sequence[Callable[..., object]] = (),
    timeout_s: float = 30.0,
) -> Iterator[Server]:
    """Run a function that serves HTTP in a child process, and wait until it listens.

    Args:
        function: ends in ``uvicorn.run(app, port=0)``, so that the system chooses a free port.
        *args: its arguments; JSON must be able to hold them.
        uses: other functions that it calls; see ``processes.in_process``.
        timeout_s: deadline until it listens, in seconds.

    Yields:
        The server; it is killed at the end of the block.

    Raises:
        RabbitLabError: the program ended before it listened; the message has its last lines.
        WaitTimeoutError: it does not listen by the deadline.
    """
    with in_process(function, *args, uses=uses) as process:
        line = process.wait_for_line(LISTENS, timeout_s=timeout_s)
        yield Server(process, line.partition(LISTENS)[2].split()[0])


def load(
    server: Server, path: str, *, requests_count: int, clients: int, timeout_s: float
) -> "pd.DataFrame":
    """Send requests from several clients; each waits for an answer before its next request.

    Args:
        server: where to send them.
        path: POST path; the number of the request, 0, 1, 2, …, is added to it.
        requests_count: how many in all, 1 to 1000.
        clients: how many at once, 1 to ``requests_count``; they begin together.
        timeout_s: how long a client waits for an answer, in seconds.

    Returns:
        DataFrame[start_s float, seconds since the load began; latency_ms float; status int, 0 for
        no answer], indexed by request (int).

    Raises:
        UsageError: a number out of range.
    """
    import pandas as pd

    if not 1 <= clients <= requests_count <= 1000:
        raise UsageError(
            "clients must be 1 to requests_count, and that at most 1000, "
            f"not {clients!r} and {requests_count!r}"
        )
    rows: list[tuple[int, float, float, int]] = []
    together = threading.Barrier(clients)
    began = time.perf_counter()

    def run(first: int) -> None:
        with loopback_session() as session:
            together.wait(timeout=timeout_s)
            for number in range(first, requests_count, clients):
                start = time.perf_counter()
                status = _post(session, f"{server.url}{path}{number}", timeout_s)
                took_s = time.perf_counter() - start
                rows.append((number, start - began, 1000 * took_s, status))

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    columns = ["request", "start_s", "latency_ms", "status"]
    return pd.DataFrame(sorted(rows), columns=columns).set_index("request")


def _post(session: requests.Session, url: str, timeout_s: float) -> int:
    try:
        return session.post(url, timeout=timeout_s).status_code
    except requests.RequestException:
        return UNANSWERED
