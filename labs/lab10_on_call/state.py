"""State that the services of a system share: its parts, and its events."""

import threading
from dataclasses import dataclass, field

from labs.lab10_on_call.cases import Case, Code
from labs.lab10_on_call.readings import Place


@dataclass
class State:
    """The parts of one running system and the events of its services."""

    place: Place
    case: Case
    exchange: str
    queue: str
    dlq: str
    code: Code  # of its present consumers
    outbox: list[str] = field(default_factory=list)  # confirmed, in this order
    handled: set[str] = field(default_factory=set)
    publishing: threading.Lock = field(default_factory=threading.Lock)  # until it is in the outbox
    given_up: set[str] = field(default_factory=set)  # rejected for good, by the latest try
