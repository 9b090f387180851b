"""Lab 9, hidden case: other hosts and another distance."""

from collections.abc import Iterator

from helpers import chaos
from labs.judge.findings import Finding
from labs.judge.trial import Trial
from labs.lab09_prefetch import cases
from labs.lab09_prefetch import check as lab
from labs.lab09_prefetch.cases import Host

MS = 100
HOSTS = (
    Host("a very fast one next door", 0.002, cases.NEAR_S),
    Host("one 100 ms away that needs 20 ms", 0.02, MS / 1000),
    Host("one 100 ms away that needs 100 ms", 0.1, MS / 1000),
)


def check(trial: Trial) -> Iterator[Finding]:
    """Judge the windows of workers on hosts that the brief does not name."""
    with chaos.proxy(round_trip_ms=MS) as proxy:
        yield from lab.judge_windows(cases.windows(trial, HOSTS, proxy))
