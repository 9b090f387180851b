"""Prove the checks: they accept correct solutions, and reject each wrong one for its reason.

The docstring of a wrong solution names what it breaks and why: ``Breaks: a (memory-set), e (…)``;
``Not seen: f`` names what then cannot be tried. Its check must find exactly that, each time.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from helpers.machine.paths import ROOT
from labs.judge import checking
from labs.judge.model import Verdict, folder_of, load

BREAKS = re.compile(r"\b([a-z]) \(([a-z0-9-]+)\)")
NOT_SEEN = re.compile(r"[a-z]\b(?:,\s*[a-z]\b)*")  # "b, c"
JOBS = 6  # a check mostly waits
CHECK_S = 300.0  # correct code needs a tenth; several checks share the machine
TIMEOUT_S = CHECK_S + 30.0


@dataclass(frozen=True)
class Solution:
    """A file with a known verdict."""

    lab: int
    path: Path
    breaks: frozenset[tuple[str, str]] | None  # None: nothing is seen (the starter)
    unseen: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        """ "correct", "wrong" or "starter"."""
        return "starter" if self.breaks is None else "wrong" if self.breaks else "correct"


@dataclass(frozen=True)
class Outcome:
    """The verdict of one check of a solution."""

    solution: Solution
    verdict: Verdict | None  # None: the check itself failed
    failure: str  # of the check

    @property
    def as_it_should(self) -> bool:
        """Whether the verdict is the known one."""
        return self.for_its_reason and self.unseen_as_declared

    @property
    def rejected(self) -> bool:
        """Whether anything was found to be broken."""
        return self.verdict is not None and bool(self.verdict.broken)

    @property
    def for_its_reason(self) -> bool:
        """Whether exactly what the solution breaks was found, with the beliefs behind it."""
        if self.verdict is None or self.verdict.unusable:
            return False
        return self.verdict.reasons == (self.solution.breaks or frozenset())

    @property
    def unseen_as_declared(self) -> bool:
        """Whether exactly what cannot be tried was not seen: of the starter, all requirements."""
        if self.verdict is None or self.verdict.unusable:
            return False
        unseen = {finding.requirement for finding in self.verdict.unseen}
        if self.solution.breaks is None:
            return unseen == set(load(self.solution.lab).requirements)
        return unseen == self.solution.unseen

    def __str__(self) -> str:
        where = f"lab {self.solution.lab}, {self.solution.kind} {self.solution.path.name}"
        if self.verdict is None:
            return f"{where}: the check failed: {self.failure}"
        actual = self.verdict.unusable or _listed(self.verdict.reasons) or "nothing is broken"
        wanted = self.solution.breaks
        should = "the starter" if wanted is None else _listed(wanted) or "nothing"
        if self.verdict.unseen:
            actual += f", not seen: {', '.join(f.requirement for f in self.verdict.unseen)}"
        if self.solution.unseen:
            should += f", not seen: {', '.join(sorted(self.solution.unseen))}"
        told = [(one.requirement, one.story) for one in self.verdict.broken]
        told += [(one.requirement, f"not seen: {one.story}") for one in self.verdict.unseen]
        stories = "".join(f"\n    {key}: {story}" for key, story in told)
        return f"{where}: found {actual}; should be {should}{stories}"


def _listed(reasons: frozenset[tuple[str, str]]) -> str:
    return ", ".join(f"{key} ({why})" for key, why in sorted(reasons))


def solutions(number: int) -> list[Solution]:
    """Return the starter, the correct and the wrong solutions of a lab."""
    folder = folder_of(number)
    listed = [Solution(number, folder / "starter.py", None)]
    listed += [Solution(number, path, frozenset()) for path in sorted(folder.glob("correct/*.py"))]
    for path in sorted(folder.glob("wrong/*.py")):
        head = path.read_text(encoding="utf-8").partition("Breaks:")[2].partition('"""')[0]
        breaks, _, unseen = head.partition("Not seen:")
        keys = NOT_SEEN.match(unseen.strip())
        untried = frozenset(re.findall(r"[a-z]", keys[0] if keys else ""))
        listed.append(Solution(number, path, frozenset(BREAKS.findall(breaks)), untried))
    return listed


def judge(solution: Solution) -> Outcome:
    """Check one solution in a separate process."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        result = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", "labs.judge", "check", str(solution.lab)]
        command += [str(solution.path), "--hidden", "--json", str(result)]
        command += ["--seconds", str(CHECK_S)]
        try:
            ran = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            return Outcome(solution, None, f"no verdict within {TIMEOUT_S:g} s")
        if not result.exists():
            return Outcome(solution, None, (ran.stderr or ran.stdout).strip()[-500:])
        return Outcome(solution, checking.from_json(result.read_text(encoding="utf-8")), "")


def prove(
    labs: Sequence[int], *, times: int = 1, jobs: int = JOBS, only_correct: bool = False
) -> Iterator[Outcome]:
    """Judge the solutions of these labs, and yield the outcomes.

    Args:
        labs: numbers of the labs.
        times: checks of each solution.
        jobs: number of checks at once.
        only_correct: leave out those that have to be rejected, and the starters.
    """
    # In turn from each lab, since the checks of one need much of the processor, of another nothing.
    in_turn = zip_longest(*map(solutions, labs))
    chosen = [
        one for turn in in_turn for one in turn
        if one is not None and (one.kind == "correct" or not only_correct)
    ]  # fmt: skip
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judge, chosen * times)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the table: lab, correct accepted, wrong rejected, for the right reason.

    "not seen as declared" counts the wrong solutions where exactly what they declare could not be
    tried, most often nothing; "starter not seen" the starters of which nothing was judged.
    """
    lines = [
        "| lab | correct accepted | wrong rejected | for their own reason | not seen as declared |"
        " starter not seen | longest check |",
        "|---|---|---|---|---|---|---|",
    ]
    for number in sorted({outcome.solution.lab for outcome in outcomes}):
        of_lab = [outcome for outcome in outcomes if outcome.solution.lab == number]
        kinds = {kind: [outcome for outcome in of_lab if outcome.solution.kind == kind]
                 for kind in ("correct", "wrong", "starter")}  # fmt: skip
        longest = max(
            (outcome.verdict.seconds for outcome in of_lab if outcome.verdict), default=0.0
        )
        cells = [
            f"{number} {load(number).title}",
            _share([outcome.as_it_should for outcome in kinds["correct"]]),
            _share(
                [bool(outcome.verdict and outcome.verdict.broken) for outcome in kinds["wrong"]]
            ),
            _share([outcome.for_its_reason for outcome in kinds["wrong"]]),
            _share([outcome.unseen_as_declared for outcome in kinds["wrong"]]),
            _share([outcome.as_it_should for outcome in kinds["starter"]]),
            f"{longest:.0f} s",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(verdicts: Sequence[bool]) -> str:
    return f"{sum(verdicts)} of {len(verdicts)}"
