"""The line from a learner's process to the judge: report a boundary, and wait for the answer.

Each thread has a connection of its own, so that a thread held at a boundary blocks no other. What
names the actor and the judge stands in the environment, where all processes below an actor find it.
"""

import json
import os
import signal
import socket
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from labs.judge.faults import FAIL

ACTOR, JUDGE, FILE = "LAB_ACTOR", "LAB_JUDGE", "LAB_FILE"  # variables of the environment
JUDGE_GONE = 71  # exit status

connections: "weakref.WeakSet[Any]" = weakref.WeakSet()  # of this process to the broker
_thread = threading.local()


def begin(name: str, address: str, submission: Path) -> None:
    """Make this process an actor.

    Args:
        name: the actor's name for the judge.
        address: path of the socket where the judge listens.
        submission: the learner's file.
    """
    os.environ.update({ACTOR: name, JUDGE: address, FILE: str(submission)})


def ask(at: str, message: str = "", **details: Any) -> str:
    """Report a boundary to the judge, and return when the judge lets this thread go on.

    Args:
        at: kind of the boundary, such as "before ack".
        message: id of the message concerned.
        details: further facts that JSON can hold.

    Returns:
        How the operation after this boundary has to fail, such as "locked"; "" to go on.
    """
    try:
        file = _judge()
        file.write(json.dumps({"at": at, "message": message, **details}) + "\n")
        file.flush()
        answer = file.readline()
    except OSError:
        answer = ""
    if not answer:
        os._exit(JUDGE_GONE)
    if answer == "cut\n":
        cut()
    return answer.removeprefix(FAIL).strip() if answer.startswith(FAIL) else ""


def _judge() -> Any:
    """Return this thread's connection to the judge, opened anew after a fork."""
    if getattr(_thread, "pid", None) != os.getpid():
        link = socket.socket(socket.AF_UNIX)
        link.connect(os.environ[JUDGE])
        _thread.file, _thread.pid = link.makefile("rw", encoding="utf-8"), os.getpid()
        _thread.file.write(json.dumps({"actor": os.environ[ACTOR]}) + "\n")
    return _thread.file


def cut() -> None:
    """Break the actor's connections to the broker, as a network failure does.

    A child without a connection has the others of its process group break theirs.
    """
    if any(connection.is_open for connection in list(connections)):
        _cut_own()
    else:
        os.killpg(0, signal.SIGURG)


def obey_cuts() -> None:
    """Break this process's connections at SIGURG, which processes without a handler ignore."""
    with suppress(ValueError):  # only a main thread can say so
        signal.signal(signal.SIGURG, lambda *_: _cut_own())


def _cut_own() -> None:
    for connection in list(connections):
        try:
            connection._impl._transport._sock.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            continue  # closed already
