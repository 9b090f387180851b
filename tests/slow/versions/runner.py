"""Run notebooks and correct solutions on the current broker and count the passed ones."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers.broker import Broker
from helpers.suite import doctor
from helpers.suite.notebooks import records, stored_claims
from helpers.suite.notebooks.cards import tags
from helpers.suite.notebooks.running import read
from helpers.suite.notebooks.verdicts import judge
from labs.judge.instructor import proof
from tests.slow.versions import seen

HEADER = (
    "| RabbitMQ | Erlang | notebooks passed | claims as stored | solutions accepted |"
    " differing | time |",
    "|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Tally:
    """The results on one generation; a pair is the number of passed ones and of all."""

    rabbitmq: str
    erlang: str
    notebooks: tuple[int, int]
    claims: tuple[int, int]
    solutions: tuple[int, int]
    differing: int  # small behaviours that differ from the recorded ones
    seconds: float

    @property
    def fine(self) -> bool:
        """Whether every notebook and solution passed, and no small behaviour differs.

        A claim whose service is not available is skipped and does not count as a failure.
        """
        passed = all(good == every for good, every in (self.notebooks, self.solutions))
        return passed and not self.differing


def run(shared: Broker, paths: Sequence[Path], labs: Sequence[int]) -> Tally:
    """Run notebooks and the correct solutions of labs, and print a line for each.

    The notebooks' cards are compared with the stored ones and recorded in
    ``docs/verdicts.json``; the small behaviours of ``tests.slow.versions.probes``, and how many
    solutions were accepted, in ``docs/rabbitmq-4.json``. If a cell needs a cluster, a private
    cluster of three nodes is started first.

    Args:
        shared: the broker that this process and its child processes use.
        paths: notebook files.
        labs: numbers of labs.
    """
    began_s = time.monotonic()
    differing = seen.look(shared)
    for line in differing:
        print(line, flush=True)
    if needs("cluster", paths):
        print(doctor.start_cluster(), flush=True)
    passed = same = every = 0
    for path in paths:
        stored = {claim.text for claim in stored_claims(read(path))}
        every += len(stored)
        if judge([path], records.this_session(shared)):
            passed += 1
            here = records.load()[shared.generation][path.name[:3]]
            same += len(stored.intersection(here.claims))
    correct = correct_solutions(labs)
    outcomes = []
    with ThreadPoolExecutor(proof.JOBS) as pool:
        for outcome in pool.map(proof.judge, correct):
            outcomes.append(outcome)
            where = f"lab {outcome.solution.lab}, {outcome.solution.path.name}"
            print(f"{where}: accepted" if outcome.as_it_should else outcome, flush=True)
    seen.keep_solutions(shared, outcomes)
    return Tally(
        rabbitmq=shared.version,
        erlang=shared.erlang,
        notebooks=(passed, len(paths)),
        claims=(same, every),
        solutions=(sum(outcome.as_it_should for outcome in outcomes), len(correct)),
        differing=len(differing),
        seconds=time.monotonic() - began_s,
    )


def needs(service: str, paths: Sequence[Path]) -> bool:
    """Return whether a cell of these notebooks is tagged ``needs-…`` with that service."""
    return any(f"needs-{service}" in tags(cell) for path in paths for cell in read(path).cells)


def correct_solutions(labs: Sequence[int]) -> list[proof.Solution]:
    """Return the solutions of these labs that must be accepted."""
    solutions = [solution for number in labs for solution in proof.solutions(number)]
    return [solution for solution in solutions if solution.kind == "correct"]


def table(tallies: Sequence[Tally]) -> str:
    """Return one row for each generation, as a Markdown table."""
    lines = list(HEADER)
    for tally in tallies:
        pairs = (tally.notebooks, tally.claims, tally.solutions)
        shares = [f"{good} of {every}" for good, every in pairs]
        took = f"{tally.seconds:.0f} s"
        cells = [tally.rabbitmq, tally.erlang, *shares, str(tally.differing), took]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
