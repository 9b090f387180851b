"""Everything that ``make test`` runs, in order, with a summary at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from helpers import broker
from helpers.broker.selection import NotRunningError
from helpers.errors import BrokerError
from helpers.machine.paths import ROOT
from helpers.services import SERVICES
from helpers.suite import doctor
from helpers.suite.install import install_missing
from helpers.suite.notebooks.running import CELL_S

Arguments = tuple[str, ...]  # of Python
Check = tuple[str, Arguments]

STOP_TIMEOUT_S = 20.0
SANITIZE = "--nbval-sanitize-with=tests/support/nbval_sanitize.cfg"
NBVAL = ("--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_S:g}", SANITIZE)
LINT = (
    ("ruff check", ("-m", "ruff", "check", ".")),
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("mypy", ("-m", "mypy")),
)
# Tests and notebooks mostly wait, so five workers fill two cores; see tests/support/spread.py.
SPREAD = ("-n", "5", "--durations=15")
TOGETHER = (
    "-m", "pytest", "tests", "notebooks", *NBVAL,
    "-m", "not measures_rates and not twice and not slow", *SPREAD,
)  # fmt: skip
COVERAGE = ("--cov", "--cov-report=term")  # it slows the tests down, so only CI measures it
ALONE = ("-m", "pytest", "notebooks", *NBVAL, "-m", "measures_rates")
SLOW = ("-m", "pytest", "tests", "-m", "slow and not twice", *SPREAD)
TWICE = ("-m", "pytest", "tests", "-m", "twice", *SPREAD)


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
    return 0 if all(phase.passed for phase in [_phase(*check) for check in LINT]) else 1


def run() -> int:
    """Run lint, the tests and every notebook; go on after a phase that fails.

    Returns:
        0 when every phase passed, else 1.
    """
    together = TOGETHER + (COVERAGE if os.environ.get("CI") else ())
    # pytest exits with 5 if nothing is selected, so a lost marker fails here.
    runs = {"tests and notebooks": together, "notebooks that measure rates": ALONE}
    return _on_a_broker(runs, beside=LINT)


def slow() -> int:
    """Run the tests that take long, and every notebook's cells twice.

    Returns:
        0 when they pass, else 1.
    """
    return _on_a_broker({"every cell twice": TWICE, "slow tests": SLOW})


def twice() -> int:
    """Run every notebook once more: each cell twice, and each experiment again after the last.

    Returns:
        0 when every card stayed the same, else 1.
    """
    return _on_a_broker({"every cell twice": TWICE})


def _on_a_broker(runs: dict[str, Arguments], *, beside: Sequence[Check] = ()) -> int:
    """Find or start what the runs need, run them, and stop what was started for them.

    Args:
        runs: name and arguments of Python for each.
        beside: checks without a broker, run while the broker and the services start.

    Returns:
        0 when every phase passed, else 1.
    """
    broker_ran, keep = _is_running(), doctor.running_services()
    began_s = time.monotonic()
    phases = []
    try:
        with ThreadPoolExecutor(1) as pool:
            checks = [pool.submit(_quiet_phase, *check) for check in beside]
            prepared = [_broker()]
            if prepared[0].passed:
                prepared.append(_services())
            phases += [check.result() for check in checks] + prepared
        if prepared[0].passed:
            phases += [_phase(name, arguments) for name, arguments in runs.items()]
    finally:
        if not broker_ran:
            doctor.stop_what_is_ours(cluster_too=False)
        else:
            doctor.stop_services(keep)
    return _conclude(phases, time.monotonic() - began_s)


def _conclude(phases: list[Phase], total_s: float) -> int:
    print("\n" + "\n".join(map(str, phases)))
    failed = [phase.name for phase in phases if not phase.passed]
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
    there = [service.NAME for service in SERVICES.values() if service.missing() is None]
    print(f"There are: {', '.join(there) or 'none'}", flush=True)
    note = f"{len(missing)} missing: their cells are skipped" if missing else ", ".join(there)
    return Phase("services", True, time.monotonic() - began_s, note)


def _phase(name: str, arguments: Arguments) -> Phase:
    print(f"\n── {name}: python {' '.join(arguments)}", flush=True)
    began_s = time.monotonic()
    return _ended(name, began_s, _python(*arguments))


def _quiet_phase(name: str, arguments: Arguments) -> Phase:
    """Run a phase beside others; what it prints comes in one piece."""
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    print(f"\n── {name}: python {' '.join(arguments)}\n{done.stdout}", end="", flush=True)
    return _ended(name, began_s, done.returncode)


def _ended(name: str, began_s: float, code: int) -> Phase:
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
