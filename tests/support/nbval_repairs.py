"""Repair nbval 0.11.0 by a pytest plugin; a test of each repair shows the difference.

* History: cells run as in Jupyter, so that a trailing ``;``, ``_`` and ``Out`` work.
* Children: the output of child processes is part of a cell's output.
* Death: the death of a kernel is detected within about a second and reported in one line.
* Limit: a cell over its time limit fails, even if it swallows the interrupt.
* After: after such a cell, or a death, all later cells fail without running; nbval shows them
  as passed.
* SVG: pictures are not compared, whatever their format.
* Coverage: kernels are not measured. nbval would start a second measurement in each, which ends
  both; the tests cover the code that notebooks use.
* Ports: kernels use private sockets; see ``tests.support.nbval_sockets``.
* Services: a cell whose service is missing must still run without an error; it counts as skipped.
* End: the kernel is asked to end before it is killed, so that its clean-up runs.

A notebook whose first cell has the tag ``measures-rates`` gets the mark ``measures_rates``.

Public classes of nbval are extended; its module-level names are replaced only where there is no
other way. Therefore nbval is pinned exactly.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import nbval.plugin
import pytest
from nbval.kernel import RunningKernel

from helpers import services
from helpers.suite.notebooks.cards import measures_rates

pytest_plugins = ["tests.support.nbval_sockets"]
RATES_MARK = "measures_rates"
LOOK_EVERY_S = 0.5
# With the first, ipykernel drops the output of child processes; the second starts coverage.
HIDDEN = ("PYTEST_CURRENT_TEST", "COVERAGE_PROCESS_CONFIG")


class NotRunError(Exception):
    """A cell failed for a reason that its traceback does not show."""


class KernelDiedError(NotRunError):
    """The kernel ended while a cell ran."""


class RepairedKernel(RunningKernel):
    """A kernel that runs cells as Jupyter does, with a check that it is alive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        hidden = {name: os.environ.pop(name) for name in HIDDEN if name in os.environ}
        try:
            super().__init__(*args, **kwargs)
        finally:
            os.environ.update(hidden)

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        return self.kc.execute(
            cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
        )

    def get_message(self, stream: str, timeout: float | None = None) -> Any:
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            left_s = deadline - time.monotonic()
            try:
                return super().get_message(stream, max(0.0, min(LOOK_EVERY_S, left_s)))
            except Empty:
                if not self.is_alive():
                    raise KernelDiedError("the kernel died while this cell ran") from None
                if time.monotonic() >= deadline:
                    raise

    def stop(self) -> None:
        """Ask the kernel to end, and kill it after a few seconds."""
        self.kc.stop_channels()
        self.km.shutdown_kernel(now=False)
        del self.km


class RepairedCell(nbval.plugin.IPyNbCell):
    """A code cell that does not run after an earlier cell made its result meaningless."""

    def setup(self) -> None:
        """Skip the mark of nbval, which expects later cells to fail and shows them as passed."""

    def runtest(self) -> None:
        if self.parent.stopped:
            raise NotRunError(f"not run: {self.parent.stopped}")
        lacks = services.missing(self.cell.metadata.get("tags", []))
        if lacks:
            self.options["check"] = False  # the stored output was measured with the service
        try:
            super().runtest()
        except KernelDiedError:
            self.parent.stopped = f"the kernel died in {self.name}"
            raise
        finally:
            if self.parent.timed_out:
                self.parent.stopped = f"{self.name} went over its time limit"
        if self.parent.timed_out:
            limit_s = self.config.option.nbval_cell_timeout
            raise NotRunError(f"this cell took more than its {limit_s:g} s")
        if lacks:
            pytest.skip(lacks)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
        if isinstance(excinfo.value, NotRunError):
            return f"{self.name}: {excinfo.value}"
        return str(super().repr_failure(excinfo))


class RepairedNotebook(nbval.plugin.IPyNbFile):
    """A notebook with the reason why it stopped, and the mark if it measures rates."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stopped = ""
        self.skip_compare += ("image/svg+xml",)

    def collect(self) -> Iterator[RepairedCell]:
        if measures_rates(nbformat.read(self.path, as_version=4)):
            self.add_marker(RATES_MARK)
        for cell in super().collect():
            yield RepairedCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )


def _leave_coverage_alone(*_: object) -> None:
    pass


def pytest_configure() -> None:
    nbval.plugin.RunningKernel = RepairedKernel
    nbval.plugin.setup_coverage = nbval.plugin.teardown_coverage = _leave_coverage_alone


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    """Replace the notebooks of nbval by repaired ones."""
    nodes = yield
    return [
        RepairedNotebook.from_parent(parent, path=node.path)
        if type(node) is nbval.plugin.IPyNbFile
        else node
        for node in nodes
    ]
