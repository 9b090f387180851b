"""How tests and notebooks are spread over workers, as a pytest plugin (``--dist=loadgroup``).

A file stays on one worker, so that what its tests share (a broker node, a scratch vhost) is made
once. The runs of every cell twice are each a file's worth of waiting and are spread one by one.
What takes longest goes out first, so that no worker is left with a long one at the end.
"""

import pytest

ONE_BY_ONE = "test_notebooks_twice.py"
FIRST = (
    ONE_BY_ONE,
    "test_broker_private_node.py",
    "test_nbval_repairs.py",
    "test_metrics.py",
    "test_broker_disposable.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group and order the tests when they are spread over workers."""
    if config.getoption("dist", "no") != "loadgroup":
        return
    for item in items:
        alone = item.path.name == ONE_BY_ONE
        item.add_marker(pytest.mark.xdist_group(item.name if alone else item.path.name))
    items.sort(key=lambda item: place(item.path.name))


def place(name: str) -> int:
    """Return when a file's turn is: slow tests, then notebooks, then all the others."""
    if name in FIRST:
        return FIRST.index(name)
    return len(FIRST) + (not name.endswith(".ipynb"))
