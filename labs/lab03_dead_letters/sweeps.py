"""The faults of lab 3's sweeps: deaths, cut connections, and writes and publishes that fail."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from labs.judge.faults import REFUSALS, WRITES, Fault
from labs.judge.findings import Broken
from labs.judge.sweep import chosen, crash_points
from labs.judge.trial import Trial
from labs.lab03_dead_letters.cases import Known

MOST_KILLS = 16
MOST_FAILURES = 4  # of each kind
# Each way to refuse is tried at each publish: few publish more than once.
FAILURES: tuple[Mapping[str, Sequence[str]], ...] = (
    WRITES,
    *({at: (way,)} for at, ways in REFUSALS.items() for way in ways),
)


def all_points(
    trial: Trial, known: Known, play: Callable[[], Broken | None], *, role: str, cuts: int
) -> Iterator[Broken]:
    """Play with a kill at each point, with a cut at some, then with writes and publishes that fail.

    Args:
        trial: the trial in which ``play`` runs.
        known: learns whether the function publishes with confirms.
        play: plays to the end, and returns what is broken, or None.
        role: the function that suffers.
        cuts: number of points at which its connection is cut, evenly spread.
    """
    faults: list[Fault] = []

    def counted() -> Broken | None:
        broken = play()
        if not faults:  # no fault yet: this play shows where there can be some
            known.confirms = trial.watch.count("before confirm") > 0
            faults.extend(Fault(point, "cut", role) for point in chosen(trial.points, cuts))
            for failures in FAILURES:
                points = sum(trial.watch.count(at) for at in failures)
                faults.extend(
                    Fault(point, "fail", role, failures) for point in chosen(points, MOST_FAILURES)
                )
        return broken

    broken = crash_points(trial, counted, actions=("kill",), role=role, least=6, most=MOST_KILLS)
    try:
        for fault in faults:
            if not broken:
                trial.fault = fault
                broken = play()
    finally:
        trial.fault = None
    if broken:
        yield broken
