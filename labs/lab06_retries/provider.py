"""The mail provider of lab 6: an HTTP server whose answers each play decides."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from labs.judge.trial import Trial

SENT, REFUSED, TRY_LATER = 202, 400, 503

Answer = Callable[[str, int], int]


@dataclass(frozen=True)
class Call:
    """The ``number``-th request, 1, 2, 3, …, to send the mail about a comment."""

    comment: str
    number: int
    t_s: float  # arrival, by time.monotonic(), before the answer
    status: int


class MailProvider:
    """Accept mails at ``url``, and record all calls of a play; use as a context manager.

    A call is recorded before it is answered, so the caller reacts to the answer after the recorded
    time, even on a busy machine.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._trial: Trial | None = None
        self._answer: Answer = lambda comment, number: SENT
        self._play = 0
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with suppress(OSError, ValueError, KeyError):  # its client may have died
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                    self.send_response(
                        provider._called(self.path, str(json.loads(body)["comment"]))
                    )
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """URL for the mails of this play."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._play}"

    def begin(self, trial: Trial, answer: Answer) -> None:
        """Forget all calls, and answer further ones with ``answer(comment, number)``."""
        with self._lock:
            self._trial, self._answer, self._play, self.calls = trial, answer, self._play + 1, []

    def of(self, comment: str) -> list[Call]:
        """Return the calls for one comment, in order."""
        return [call for call in list(self.calls) if call.comment == comment]

    def sent(self, comment: str) -> bool:
        """Return whether the mail was sent."""
        return any(call.status == SENT for call in self.of(comment))

    def _called(self, path: str, comment: str) -> int:
        if path.split("/")[1] != str(self._play):  # from a process of an earlier play
            return REFUSED
        with self._lock:
            number = 1 + len(self.of(comment))
            now = time.monotonic()
            status = self._answer(comment, number)
            self.calls.append(Call(comment, number, now, status))
        assert self._trial is not None
        self._trial.history.record("effect", comment, detail=f"the provider says {status}")
        return status
