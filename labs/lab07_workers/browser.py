"""Client of the learner's web server, and the queue and the store of lab 7."""

import socket
from collections import Counter
from contextlib import closing

import pika
import requests

from helpers.machine.http import loopback_session
from labs.judge.trial import Trial

QUEUE = "jobs"
TABLES = (
    "jobs (document TEXT PRIMARY KEY, state TEXT NOT NULL)",
    "thumbnails (document TEXT NOT NULL)",
)
ANSWER_S = 8.0  # the patience of a user's browser; correct code needs a quarter of it
UP_S = 15.0
UNANSWERED = 0


class Web:
    """The learner's web server, called as by a browser."""

    def __init__(self, trial: Trial, url: str, *, restarts: int = 0) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        self.trial = trial
        self.session = loopback_session()
        self.session.headers["Connection"] = "close"  # each request is another user's
        self.actor = trial.start(
            "run_web", url, trial.store, self.port, name="web server", restarts=restarts
        )

    def wait_until_up(self) -> bool:
        """Wait until the server accepts connections; return whether it does."""
        return bool(self.trial.watch.settle(self._listens, timeout_s=UP_S, quiet_s=UP_S))

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def post(self, document: str) -> int:
        """Return the status of the answer, 0 for none."""
        return self._ask("POST", document)[0]

    def state(self, document: str) -> str:
        """Return the answer to a GET: "waiting", "done", or the status."""
        status, content = self._ask("GET", document)
        return (
            str(content.get("state"))
            if status == 200 and isinstance(content, dict)
            else str(status)
        )

    def _ask(self, method: str, document: str) -> tuple[int, object]:
        url = f"http://127.0.0.1:{self.port}/thumbnails/{document}"
        try:
            answer = self.session.request(method, url, timeout=ANSWER_S)
            return answer.status_code, answer.json() if method == "GET" and answer.ok else None
        except (requests.RequestException, ValueError):
            return UNANSWERED, None


def prepare(trial: Trial, *jobs: str) -> None:
    """Start over with the queue and the store, and with these jobs in both."""
    channel = trial.fresh(*TABLES)
    channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    for job in jobs:
        with trial.writing() as db:
            db.execute("INSERT INTO jobs VALUES (?, 'waiting')", (job,))
        properties = pika.BasicProperties(message_id=job, delivery_mode=2)
        channel.basic_publish("", QUEUE, job, properties)


def made(trial: Trial) -> Counter[str]:
    """Return how often each thumbnail was made."""
    return Counter(row[0] for row in trial.rows("SELECT document FROM thumbnails"))
