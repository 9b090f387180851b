"""How tests and notebooks are spread over workers (``--dist=loadfile``), as a pytest plugin.

A file stays on one worker, so that what its tests share (a broker node, a scratch vhost) is made
once. The runs of every cell twice are each a file's worth of waiting and are spread one by one.
What takes longest goes out first, so that no worker is left with a long one at the end.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

ONE_BY_ONE = ("test_notebooks_twice.py", "test_labs_solutions.py", "test_labs_brief.py")
FIRST = (
    "test_notebooks_twice.py",
    "test_labs_grading.py",
    "test_broker_cluster.py",
    "test_broker_private_node.py",
    "test_nbval_repairs.py",
    "q10_monitoring.ipynb",
    "q04_guarantees.ipynb",
    "test_broker_disposable.py",
    "q07_workers.ipynb",
    "test_cli.py",
    "test_alerts.py",
    "test_sabotage.py",
    "test_labs_brief.py",
    "test_labs_solutions.py",
)


class Spread(LoadFileScheduling):
    """Keeps files together, except those of which each test takes as long as a file."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return nodeid if file.endswith(ONE_BY_ONE) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Use ``Spread`` where files are to be kept together."""
    return Spread(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow tests first, then notebooks, then all the others."""
    items.sort(key=lambda item: place(item.path.name))


def place(name: str) -> int:
    """Return when a file's turn is."""
    if name in FIRST:
        return FIRST.index(name)
    return len(FIRST) + (not name.endswith(".ipynb"))
