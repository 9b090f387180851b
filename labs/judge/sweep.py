"""All crash points: the same small play again and again, each time with one fault, one later."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from labs.judge.errors import UnusableError
from labs.judge.model import Broken
from labs.judge.trial import Fault, Trial

MOST_POINTS = 40


def crash_points(
    trial: Trial,
    play: Callable[[], Broken | None],
    *,
    actions: Sequence[Literal["cut", "kill"]] = ("kill",),
    role: str = "",
    least: int = 1,
    most: int = MOST_POINTS,
) -> Broken | None:
    """Play without a fault, then with one at each boundary, until something breaks.

    Args:
        trial: where ``play`` runs; it begins with ``trial.fresh``.
        play: plays to the end and returns what is broken, or None.
        actions: what happens at a boundary: the process is killed, or its connection cut.
        role: only boundaries of this role; "" is anybody's.
        least: how many boundaries correct code reaches without a fault, at the very least.
        most: at most so many points, spread evenly over all that there are.

    Returns:
        What the first play that went wrong gave, or None.

    Raises:
        UnusableError: all is well, yet fewer than ``least`` boundaries were seen: the code goes
            past pika's BlockingConnection or sqlite3, where it cannot be judged.
    """
    trial.fault = Fault(0, "kill", role)  # counts, strikes nobody
    try:
        if broken := play():
            return broken
        if trial.points < least:
            raise UnusableError(
                "its work goes past pika.BlockingConnection and sqlite3, so it cannot be judged: "
                "use both as they are"
            )
        for point in chosen(trial.points, most):
            for action in actions:
                trial.fault = Fault(point, action, role)
                if broken := play():
                    return broken
    finally:
        trial.fault = None
    return None


def chosen(points: int, most: int) -> Iterator[int]:
    """Yield at most ``most`` of the numbers 1 to ``points``, evenly spread, from 1 on."""
    number = min(points, most)
    for index in range(number):
        yield 1 + index * points // number
