"""Distribute tests and notebooks over xdist's workers, as a pytest plugin.

A file stays on one worker, so that what its tests share (a node, a scratch vhost) is made once. In
a file with the mark ``one_by_one`` each test takes as long as another file, so they are spread one
by one. The longest go first, by the times of the last run, so that no worker has a long one left at
the end.
"""

import functools
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

MARK = "mark.one_by_one"
LAST_RUN = "rabbit-lab/seconds"
# Without a last run, in a fresh clone: a notebook and what is spread one by one.
GUESS_S = {".ipynb": 30.0, MARK: 20.0, ".py": 1.0}


class Spread(LoadScopeScheduling):
    """Keep files together, except those whose tests are to be spread one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid, self.config.rootpath)


class Clock:
    """Adds up what each unit of work took, and keeps it for the next run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.seconds = config, defaultdict[str, float](float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the time of a test's set-up, call or clean-up."""
        self.seconds[unit(report.nodeid, self.config.rootpath)] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write the times; units that did not run keep theirs."""
        if self.seconds and hasattr(self.config, "cache"):
            last = self.config.cache.get(LAST_RUN, {})
            now = {name: round(seconds, 1) for name, seconds in self.seconds.items()}
            self.config.cache.set(LAST_RUN, last | now)


def unit(nodeid: str, root: Path) -> str:
    """Return what a test is distributed with: its file, or only itself."""
    file = nodeid.split("::", maxsplit=1)[0]
    return nodeid if is_spread(root / file) else file


@functools.cache
def is_spread(path: Path) -> bool:
    """Return whether a file has the mark ``one_by_one``."""
    # The scheduler knows no marks, only names.
    return path.suffix == ".py" and path.is_file() and MARK in path.read_text(encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Take the times, in the process that hears of all tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Clock(config))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Use `Spread` where files are to be kept together."""
    return Spread(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests of long units first; the order within a unit stays."""
    last: dict[str, float] = config.cache.get(LAST_RUN, {}) if hasattr(config, "cache") else {}
    items.sort(key=lambda item: -expected_s(item.nodeid, config.rootpath, last))


def expected_s(nodeid: str, root: Path, last: dict[str, float]) -> float:
    """Return how long a test's unit takes: as in the last run, or a guess by its kind.

    Args:
        nodeid: pytest's name of the test.
        root: folder that the name starts at.
        last: seconds of each unit in the last run.
    """
    name = unit(nodeid, root)
    path = root / nodeid.split("::", maxsplit=1)[0]
    return last.get(name, GUESS_S[MARK if is_spread(path) else path.suffix])
