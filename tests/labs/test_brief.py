"""Each brief, run as a learner runs it: with the starter, which fails, and with a solution."""

import errno
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from helpers.errors import NotWrittenError
from helpers.machine import journal
from helpers.suite.notebooks.sockets import own_sockets
from labs.judge import brief, checking, commands, progress
from labs.judge.instructor.proof import solutions
from labs.judge.model import Verdict, folder_of, load, numbers
from tests.conftest import child_environment
from tests.labs.conftest import notebook

QUICK = (9,)  # labs whose checks end soonest on a starter


def run(number: int, source: str | None, work) -> list[str]:
    """Run a brief, with this source in its starter cell, and return what its cells print."""
    folder = folder_of(number)
    nb = nbformat.read(folder / "brief.ipynb", as_version=4)
    cell = next(cell for cell in nb.cells if cell.source.startswith("%%lab"))
    if source is not None:
        cell.source = f"%%lab\n{source}"
    manager = AsyncKernelManager(kernel_name="python3", **own_sockets())
    where = {"metadata": {"path": str(folder)}}
    client = NotebookClient(nb, km=manager, timeout=150, resources=where)
    client.execute(env=child_environment(RABBIT_LAB_WORK=str(work)))
    return [
        "".join(output.get("text", "") for output in cell.get("outputs", [])) for cell in nb.cells
    ]


@pytest.mark.parametrize(
    "number",
    [
        number if number in QUICK else pytest.param(number, marks=pytest.mark.slow)
        for number in numbers()
    ],
)
def test_the_starter_runs_and_fails(number: int, shared_broker, tmp_path):
    *_, verdict, _, _ = printed = run(number, None, tmp_path)
    assert printed[1].startswith(f"Lab {number} · {load(number).title}: ready.")
    assert printed[1].endswith(f"/lab{number:02d}.py.\n") and printed[1].count("\n") == 1
    assert "not seen" in verdict and "cannot be judged" not in verdict
    assert "Traceback" not in "".join(printed)
    assert (tmp_path / f"lab{number:02d}.py").exists()


@pytest.mark.parametrize("number", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_from_brief_to_holds(number: int, shared_broker, tmp_path):
    correct = next(solution for solution in solutions(number) if solution.kind == "correct")
    *_, verdict, _, _ = run(number, correct.path.read_text(encoding="utf-8"), tmp_path)
    assert "All that this check looks for holds." in verdict
    assert "BROKEN" not in verdict


def test_a_replaced_file_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    brief.write(3, "first")
    assert "what was there" not in capsys.readouterr().out
    brief.write(3, "first")
    assert "what was there" not in capsys.readouterr().out
    brief.write(3, "second")
    assert "lab03.before.py" in capsys.readouterr().out
    assert (tmp_path / "lab03.before.py").read_text() == "first"
    assert (tmp_path / "lab03.py").read_text() == "second"


def test_on_a_full_disk_the_file_and_the_one_before_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    brief.write(3, "first")
    brief.write(3, "second")

    def full(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NotWrittenError, match=r"cannot write .*: the disk is full"):
        brief.write(3, "third")
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"lab03.py": "second", "lab03.before.py": "first"}


def test_on_a_full_disk_nothing_counts_as_the_learners(
    shared_broker, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    monkeypatch.setattr(checking, "ROOM_BYTES", 10**18)
    solution = next(one for one in solutions(9) if one.kind == "correct")
    assert commands.main(["check", "9", str(solution.path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("error: the disk of ") and "TMPDIR" in said.err
    assert not (tmp_path / "labs.jsonl").exists()


def test_a_brief_is_checked_like_the_file_that_it_writes(
    shared_broker, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    assert commands.main(["check", "5", str(folder_of(5) / "brief.ipynb")]) == 1
    assert "0 of 6 requirements hold, 6 were not seen" in capsys.readouterr().out
    (tmp_path / "other.ipynb").write_text(notebook("brief.begin(5)"))
    assert commands.main(["check", "5", str(tmp_path / "other.ipynb")]) == 2
    assert "other.ipynb cannot be judged: no cell begins with %%lab" in capsys.readouterr().err


def test_progress_shows_the_last_check_of_each_lab(tmp_path, monkeypatch):
    from labs.judge.findings import Broken

    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path))
    assert progress.overview().count("not tried yet") == len(numbers())
    progress.keep(Verdict(5, (Broken("a", "", "memory-set"),), "", 3.0, "4.3.6"))
    assert journal.read(progress.file()).entries[-1]["beliefs"] == {"a": "memory-set"}
    progress.keep(Verdict(3, (), "", 3.0, "4.3.6"))
    with (tmp_path / "labs.jsonl").open("a") as file:
        file.write('{"lab": 5, "cut o')
    lines = {line.split()[0]: line for line in progress.overview().splitlines()[1:]}
    assert "5 of 6 hold; broken: a" in lines["5"]
    assert "holds (" in lines["3"]
    progress.keep(Verdict(5, (), "it hung", 3.0, "4.3.6"))
    assert "could not be judged" in progress.overview()
