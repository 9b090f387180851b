"""Run notebooks once, twice, and with failing cells."""

import json
import sys
import time

import pytest
from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite.notebooks import CHECK_TAG, EXPERIMENT_TAG, run
from helpers.suite.notebooks.sockets import own_sockets
from tests.support.tiny_notebooks import CHECK, checkout, claim_notebook, code, prose, save

__all__ = ["checkout"]


def test_run_uses_this_python_whatever_is_installed_as_python3(checkout, monkeypatch):
    spec = checkout / "share" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(checkout / "share"))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    path = save(
        checkout,
        code("python", "import os, sys, pathlib\nprint(sys.executable, pathlib.Path.cwd().name)"),
        code("environment", "print(os.environ['PYTHONHASHSEED'], os.environ.get('MPLBACKEND'))"),
        code("hears-children", "print(hasattr(sys.stdout, 'watch_fd_thread'))"),
    )
    before = path.read_bytes()
    result = run(path)
    printed = [cell.outputs[0].text for cell in result.notebook.cells]
    assert printed[0] == f"{sys.executable} notebooks\n"
    assert printed[1].startswith("0 ")
    assert "Agg" not in printed[1]
    assert printed[2] == "True\n"
    assert [cell.execution_count for cell in result.notebook.cells] == [1, 2, 3]
    assert path.read_bytes() == before
    assert repr(result).startswith("Run(claims=[0], problems=0, wall_s=")


def test_each_kernel_uses_its_own_sockets(checkout):
    ask = "from ipykernel import get_connection_info\nimport json\n"
    path = save(
        checkout, code("socket", ask + "print(json.loads(get_connection_info())['transport'])")
    )
    first, second = (run(path).notebook.cells[0].outputs[0].text for _ in range(2))
    assert (first, second) == ("ipc\n", "ipc\n")
    assert own_sockets()["ip"] != own_sockets()["ip"]


def test_twice_runs_cells_twice_and_experiments_again_from_the_last_section(checkout):
    log = "order.append('{}')"
    path = save(
        checkout,
        code("setup", "from helpers import claims\norder = globals().get('order', [])"),
        prose("## Experiments"),
        prose("### One"),
        code("a", log.format("a"), EXPERIMENT_TAG),
        code("b", "\n".join([log.format("b"), "copies = 40", CHECK.format(1)]), CHECK_TAG),
        code("c", log.format("c")),
        prose("### Two"),
        code("d", log.format("d"), EXPERIMENT_TAG),
        code("show", "print(''.join(order))", EXPERIMENT_TAG),
    )
    result = run(path, order="twice")
    assert result.problems == ()
    assert result.notebook.cells[-1].outputs[0].text == "aabbccddd\n"
    assert [[claim.id for claim in claims] for claims in result.passes] == [["q02.1"]] * 3
    # The third pass ends with the first section, so a cell there ran last.
    assert result.notebook.cells[3].execution_count > result.notebook.cells[-1].execution_count
    assert result.notebook.cells[5].execution_count == 8


def test_a_failing_claim_does_not_stop_the_run_and_another_failure_does(checkout):
    path = save(
        checkout,
        code("setup", "from helpers import claims\ncopies = 20"),
        code("check-q02-1", CHECK.format(1), CHECK_TAG),
        code("broken", "print('so far')\n1 / 0"),
        code("after", "print('never')"),
    )
    claim, broken = run(path).problems
    assert (claim.claims, claim.name) == (("q02.1",), "ClaimFailedError")
    assert "measured 20" in claim.text
    assert str(claim).startswith("q02.1 (check-q02-1): ClaimFailedError: ")
    assert str(broken) == "cell (broken): ZeroDivisionError: division by zero"
    assert run(path).notebook.cells[-1].execution_count is None


def test_a_dead_kernel_ends_the_run_within_seconds_and_is_named(checkout):
    path = save(checkout, code("dies", "import os\nos._exit(3)", CHECK_TAG), code("after", "1"))
    start = time.monotonic()
    (problem,) = run(path, timeout_s=120).problems
    assert str(problem) == "cell (dies): DeadKernel: the kernel died while this cell ran"
    assert time.monotonic() - start < 30


def test_a_cell_over_its_limit_ends_the_run_and_the_clean_up_of_the_kernel_runs(checkout):
    path = save(
        checkout,
        code("setup", "import atexit, pathlib, time\natexit.register(pathlib.Path('done').touch)"),
        code("slow", "time.sleep(60)"),
        code("after", "1"),
    )
    (problem,) = run(path, timeout_s=2).problems
    assert str(problem) == "cell (slow): TimeLimit: this cell took more than its 2 s"
    assert (path.parent / "done").exists()


def test_edit_changes_only_the_run(checkout):
    path = claim_notebook(checkout)

    def edit(nb: NotebookNode) -> None:
        nb.cells[1].source = nb.cells[1].source.replace("40", "41")

    before = path.read_bytes()
    (problem,) = run(path, edit=edit).problems
    assert problem.claims == ("q02.1",)
    assert path.read_bytes() == before


def test_run_refuses_an_unknown_order_and_a_file_that_is_no_notebook(checkout):
    with pytest.raises(UsageError, match="order must be"):
        run(claim_notebook(checkout), order="backwards")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="can't read the notebook"):
        run(checkout / "absent.ipynb")
    for text in ("no JSON", "[]", "{}"):
        (checkout / "bad.ipynb").write_text(text)
        with pytest.raises(UsageError, match="is not a notebook"):
            run(checkout / "bad.ipynb")
