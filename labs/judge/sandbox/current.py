"""The message that a learner's thread works on."""

import threading

_here = threading.local()
_last = {"message": ""}


def work_on(message: str) -> None:
    """Note the message that was delivered to this thread."""
    _here.message = _last["message"] = message


def message() -> str:
    """Return the id of this thread's message or, without one, of the process's last message."""
    return str(getattr(_here, "message", _last["message"]))
