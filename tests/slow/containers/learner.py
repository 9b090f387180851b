"""A simulated learner: logs in at the Hub, starts the server, runs notebooks in its kernels.

It uses the same interfaces as JupyterLab in a browser: the login form, the progress of the start,
the REST API of the learner's server, and the kernel's messages over a websocket.

Source: JupyterHub documentation, "JupyterHub REST API"; Jupyter documentation, "Messaging".
"""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import websocket

from helpers.claims.card import without_here
from helpers.errors import RabbitLabError
from tests.slow.containers.stack import StackError

ANSWER_TIMEOUT_S = 120.0
START_TIMEOUT_S = 300.0
CELL_TIMEOUT_S = 600.0  # includes the wait for its turn
CHECKED = "nbval-check-output"


class CellError(RabbitLabError):
    """A cell raised; the message has the exception."""


class Kernel:
    """A kernel of a learner's server, over its websocket."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._session = uuid.uuid4().hex

    def run(self, source: str, *, timeout_s: float = CELL_TIMEOUT_S) -> str:
        """Run a cell and return its output as text.

        Raises:
            CellError: the cell raised.
            StackError: it did not end in time, or the kernel ended.
        """
        request = uuid.uuid4().hex
        self._socket.send(json.dumps(self._request(request, source)))
        end_s, printed, error, waiting = time.monotonic() + timeout_s, "", "", {"reply", "idle"}
        while waiting:
            message = self._receive(end_s)
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != request:
                continue
            if kind == "stream" and content["name"] == "stdout":
                printed += content["text"]
            elif kind == "display_data":
                printed += content["data"].get("text/plain", "")
            elif kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif kind == "execute_reply":
                waiting.discard("reply")
            elif kind == "status" and content["execution_state"] == "idle":
                waiting.discard("idle")
        if error:
            raise CellError(error)
        return printed

    def _request(self, request: str, source: str) -> dict[str, Any]:
        header = {
            "msg_id": request, "session": self._session, "username": "learner", "version": "5.3",
            "msg_type": "execute_request", "date": "",
        }  # fmt: skip
        content = {
            "code": source, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": False, "stop_on_error": True,
        }  # fmt: skip
        rest = {"parent_header": {}, "metadata": {}, "buffers": [], "channel": "shell"}
        return {"header": header, "content": content, **rest}

    def _receive(self, end_s: float) -> dict[str, Any]:
        try:
            self._socket.settimeout(max(0.1, end_s - time.monotonic()))
            message: dict[str, Any] = json.loads(self._socket.recv())
        except websocket.WebSocketTimeoutException:
            raise StackError("a cell does not end") from None
        except (websocket.WebSocketException, OSError) as error:
            raise StackError(f"the kernel ended: {error}") from None
        return message


class Learner:
    """One learner's browser."""

    def __init__(self, hub: str, name: str, password: str) -> None:
        self.name = name
        self._hub, self._password = hub, password
        self._session = requests.Session()
        # The Hub's proxy closes a connection that is idle for 5 s, even as the next request comes.
        self._session.headers["Connection"] = "close"
        self._session.trust_env = False

    def log_in(self) -> bool:
        """Send the login form; return whether the Hub accepts it."""
        form = self._session.get(f"{self._hub}/hub/login", timeout=ANSWER_TIMEOUT_S)
        form.raise_for_status()
        fields = {
            "username": self.name, "password": self._password,
            "_xsrf": self._session.cookies.get("_xsrf", path="/hub/"),
        }  # fmt: skip
        answer = self._session.post(
            f"{self._hub}/hub/login", data=fields, timeout=ANSWER_TIMEOUT_S, allow_redirects=False
        )
        return answer.status_code == requests.codes.found

    def start_server(self) -> None:
        """Start the server, wait until the Hub reports it as ready, and open it.

        Raises:
            StackError: it does not start.
        """
        self._session.get(
            f"{self._hub}/hub/spawn", timeout=ANSWER_TIMEOUT_S, allow_redirects=False
        ).raise_for_status()
        progress = f"{self._hub}/hub/api/users/{self.name}/server/progress"
        token = {"_xsrf": self._session.cookies.get("_xsrf", path="/hub/")}
        with self._session.get(
            progress, params=token, stream=True, timeout=START_TIMEOUT_S
        ) as events:
            lines = [line for line in events.iter_lines() if line.startswith(b"data:")]
        last = json.loads(lines[-1].partition(b":")[2]) if lines else {}
        if not last.get("ready"):
            raise StackError(f"the server of {self.name} does not start: {last or events.text}")
        # The first request also logs in at the learner's server, through the Hub.
        self._ask("GET", "lab")

    def notebook(self, path: str) -> dict[str, Any]:
        """Return the learner's copy of a notebook."""
        content: dict[str, Any] = self._ask("GET", f"api/contents/{path}").json()["content"]
        return content

    def notebooks(self) -> list[str]:
        """Return the paths of the learner's notebooks."""
        content = self._ask("GET", "api/contents/notebooks").json()["content"]
        return sorted(item["path"] for item in content if item["type"] == "notebook")

    @contextmanager
    def kernel(self, path: str) -> Iterator[Kernel]:
        """Open a notebook's kernel, as JupyterLab does, and shut it down at the end."""
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = self._ask("POST", "api/sessions", json=body).json()
        address = f"{self._hub}/user/{self.name}/api/kernels/{session['kernel']['id']}/channels"
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._own_cookies())
        socket = websocket.create_connection(
            address.replace("http", "ws", 1), cookie=cookies, timeout=START_TIMEOUT_S,
            origin=self._hub,
        )  # fmt: skip
        try:
            yield Kernel(socket)
        finally:
            socket.close()
            self._ask("DELETE", f"api/sessions/{session['id']}")

    def run(self, path: str) -> list[str]:
        """Run all cells of a notebook; return each card that differs from the stored one.

        Raises:
            CellError: a cell raised.
        """
        differs = []
        with self.kernel(path) as kernel:
            for cell in self.notebook(path)["cells"]:
                if cell["cell_type"] != "code":
                    continue
                printed = kernel.run("".join(cell["source"]))
                if CHECKED in cell["metadata"].get("tags", ()):
                    stored = "".join(
                        "".join(output["data"]["text/plain"])
                        for output in cell["outputs"]
                        if output["output_type"] == "display_data"
                    )
                    if without_here(printed) != without_here(stored):
                        differs.append(f"{printed}\n(stored: {stored})")
        return differs

    def _own_cookies(self) -> list[Any]:
        base = f"/user/{self.name}/"
        return [cookie for cookie in self._session.cookies if cookie.path in ("/", base)]

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        token = self._session.cookies.get("_xsrf", path=f"/user/{self.name}/", default="")
        answer = self._session.request(
            method, f"{self._hub}/user/{self.name}/{path}",
            headers={"X-XSRFToken": token or ""}, timeout=ANSWER_TIMEOUT_S, **options,
        )  # fmt: skip
        if not answer.ok:
            raise StackError(
                f"{method} {path} of {self.name}: {answer.status_code} {answer.text[:300]}"
            )
        return answer
