"""Everything that ``make test`` runs, in order, with a summary at the end."""

import subprocess
import sys
import time
from dataclasses import dataclass

from helpers import broker
from helpers.broker.selection import NotRunningError
from helpers.errors import BrokerError
from helpers.machine.paths import ROOT
from helpers.services import postgresql
from helpers.suite import doctor
from helpers.suite.install import SERVICES, install_missing

STOP_TIMEOUT_S = 20.0
NBVAL = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60")
LINT = (
    ("ruff check", ("-m", "ruff", "check", ".")),
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("mypy", ("-m", "mypy")),
)
# Tests and notebooks mostly wait, so five workers fill two cores; see tests/support/spread.py.
TOGETHER = (
    "-m", "pytest", "tests", "notebooks", *NBVAL,
    "-m", "not measures_rates and not twice and not slow", "-n", "5", "--cov", "--cov-report=term",
)  # fmt: skip
ALONE = ("-m", "pytest", "notebooks", *NBVAL, "-m", "measures_rates")
TWICE = ("-m", "pytest", "tests", "-m", "twice", "-n", "4")
SLOW = ("-m", "pytest", "tests", "-m", "slow", "-n", "4")


@dataclass(frozen=True)
class Phase:
    """The result of one phase."""

    name: str
    passed: bool
    duration_s: float
    note: str = ""

    def __str__(self) -> str:
        """Return one line of the summary."""
        result = "passed" if self.passed else "FAILED"
        return f"{self.name:<34} {result} {self.duration_s:7.1f} s  {self.note}".rstrip()


def lint() -> int:
    """Run ruff and mypy on everything.

    Returns:
        0 when all of them pass, else 1.
    """
    codes = [_python(*arguments) for _, arguments in LINT]
    return 1 if any(codes) else 0


def run() -> int:
    """Run lint, the tests and every notebook; go on after a phase that fails.

    Returns:
        0 when every phase passed, else 1.
    """
    phases = [_phase(name, arguments) for name, arguments in LINT]
    # pytest exits with 5 if nothing is selected, so a lost marker fails here.
    phases += _on_a_broker({"tests and notebooks": TOGETHER, "notebooks that measure rates": ALONE})
    return _conclude(phases)


def twice() -> int:
    """Run every notebook once more: each cell twice, and each experiment again after the last.

    Returns:
        0 when every claim line stayed the same, else 1.
    """
    return _conclude(_on_a_broker({"every cell twice": TWICE}))


def slow() -> int:
    """Run the tests that take longer than ``make test`` can wait.

    Returns:
        0 when every one passed, else 1.
    """
    return _conclude(_on_a_broker({"slow tests": SLOW}))


def _on_a_broker(runs: dict[str, tuple[str, ...]]) -> list[Phase]:
    """Find or start what the runs need, run them, and stop what was started for them."""
    broker_ran, postgresql_ran = _is_running(), postgresql.is_running()
    phases = []
    try:
        phases.append(_broker())
        if phases[-1].passed:
            phases.append(_services())
            phases += [_phase(name, arguments) for name, arguments in runs.items()]
    finally:
        if not broker_ran:
            doctor.stop_what_is_ours(cluster_too=False)
        elif not postgresql_ran:
            postgresql.stop()
    return phases


def _conclude(phases: list[Phase]) -> int:
    print("\n" + "\n".join(map(str, phases)))
    failed = [phase.name for phase in phases if not phase.passed]
    total_s = sum(phase.duration_s for phase in phases)
    outcome = f"failed: {', '.join(failed)}" if failed else "all passed"
    print(f"{outcome} in {total_s:.0f} s")
    return 1 if failed else 0


def _is_running() -> bool:
    try:
        broker.find(start=False)
    except NotRunningError:
        return False
    except BrokerError:
        return True
    return True


def _broker() -> Phase:
    print("\n── broker", flush=True)
    began_s = time.monotonic()
    try:
        found = broker.find()
    except BrokerError as error:
        print(f"error: {error}", flush=True)
        return Phase("broker", False, time.monotonic() - began_s, "nothing else could be run")
    print(doctor.describe(found), flush=True)
    return Phase("broker", True, time.monotonic() - began_s, f"RabbitMQ {found.version}")


def _services() -> Phase:
    print("\n── services", flush=True)
    began_s = time.monotonic()
    missing = install_missing()
    for sentence in missing:
        print(f"{sentence} Its cells count as skipped.", flush=True)
    there = [service.NAME for service in SERVICES if service.missing() is None]
    print(f"There are: {', '.join(there) or 'none'}", flush=True)
    note = f"{len(missing)} missing: their cells are skipped" if missing else ", ".join(there)
    return Phase("services", True, time.monotonic() - began_s, note)


def _phase(name: str, arguments: tuple[str, ...]) -> Phase:
    print(f"\n── {name}: python {' '.join(arguments)}", flush=True)
    began_s = time.monotonic()
    code = _python(*arguments)
    return Phase(name, code == 0, time.monotonic() - began_s, f"exit code {code}" if code else "")


def _python(*arguments: str) -> int:
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            return process.wait()
        except BaseException:
            # Ctrl-C reaches the child, too: wait for its clean-up, for a limited time.
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
