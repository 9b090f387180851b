"""Repeat a play with one fault at each boundary in turn."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from labs.judge.errors import UnusableError
from labs.judge.faults import ALL, Action, Fault
from labs.judge.findings import Broken
from labs.judge.trial import Trial

MOST_POINTS = 40


def crash_points(
    trial: Trial,
    play: Callable[[], Broken | None],
    *,
    actions: Sequence[Action] = ("kill",),
    role: str = "",
    failures: Mapping[str, Sequence[str]] = ALL,
    least: int = 1,
    most: int = MOST_POINTS,
) -> Broken | None:
    """Play without a fault, then with a fault at each boundary, until something breaks.

    Args:
        trial: the trial in which ``play`` runs.
        play: starts with ``trial.fresh``, plays to the end, and returns what is broken, or None.
        actions: faults at each boundary: the process is killed, its connection cut, or its write
            or publish fails.
        role: count boundaries of this role alone; "": of all roles.
        failures: the boundaries where an operation can fail, and how; see `Fault`.
        least: boundaries that correct code reaches without a fault; fewer are an error.
        most: number of points at most, spread evenly over all boundaries.

    Returns:
        The value of the first play in which something broke, or None.

    Raises:
        UnusableError: nothing broke, but fewer than ``least`` boundaries were reached: the code
            bypasses pika's BlockingConnection or sqlite3, so it cannot be judged.
    """
    trial.fault = Fault(0, "kill", role, failures)  # counts boundaries without injecting a fault
    try:
        if broken := play():
            return broken
        trial.audit()
        if trial.points < least:
            raise UnusableError(
                "its work bypasses pika.BlockingConnection or sqlite3, so it cannot be judged: "
                "use both as they are"
            )
        for point, action in _faults(trial, actions, most):
            trial.fault = Fault(point, action, role, failures)
            if broken := play():
                return broken
    finally:
        trial.fault = None
    return None


def _faults(trial: Trial, actions: Sequence[Action], most: int) -> list[tuple[int, Action]]:
    deaths = [action for action in actions if action != "fail"]
    points: list[tuple[int, Action]] = [
        (point, action) for point in chosen(trial.points, most) for action in deaths
    ]
    if "fail" in actions:
        points += [(point, "fail") for point in chosen(trial.failable, most)]
    return points


def chosen(points: int, most: int) -> Iterator[int]:
    """Yield at most ``most`` of the numbers 1 to ``points``, evenly spread, from 1 on."""
    number = min(points, most)
    for index in range(number):
        yield 1 + index * points // number
