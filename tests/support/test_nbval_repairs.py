"""Each repair is shown twice: the notebook without it goes wrong, with it goes right.

The same tiny notebooks run under plain nbval and under nbval with the repairs, side by side. Plain
nbval has its kernels' sockets repaired all the same, except where the test is about ports.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat import v4, write

from helpers.claims.card import Card, Row
from helpers.machine.paths import ROOT
from helpers.suite.checks import SANITIZE
from tests.support.cards import shown

pytestmark = pytest.mark.slow

NOT_PASSED = ("failure", "error", "skipped")  # "error": the kernel did not start
# Enough for a kernel's first cell on a loaded machine: with 3 s it was over its limit once, and
# plain nbval shows green what follows such a cell.
LIMIT_S = 10
# Cells wait for 36 s; on a loaded machine the start of each of the nine kernels takes many seconds.
RUN_LIMIT_S = 240
SHOW_SVG = """
from IPython.display import display
display({"image/svg+xml": "<svg id='now'></svg>", "text/plain": "a picture"}, raw=True)
"""
STORED_SVG = {"image/svg+xml": "<svg id='before'></svg>", "text/plain": "a picture"}
SWALLOW_INTERRUPT = """
import time
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
"""
# What ipykernel does to hear its children. Their output itself may come after the cell's end.
WATCHES_CHILDREN = "import sys\nprint(hasattr(sys.stdout, 'watch_fd_thread'))"
SHOW_TRANSPORT = """
import ipykernel, json
print(json.loads(ipykernel.get_connection_info())["transport"])
"""
CLEAN_UP_AT_END = """
import atexit, pathlib
_ = atexit.register(pathlib.Path("cleaned-up").touch)
"""
# Another program takes each port that jupyter_client chose, before the kernel does.
TAKE_CHOSEN_PORTS = """
import socket
from jupyter_client.connect import LocalPortCache

choose, taken = LocalPortCache.find_available_port, []

def choose_and_lose(self, ip):
    port = choose(self, ip)
    taken.append(socket.create_server((ip, port)))
    return port

LocalPortCache.find_available_port = choose_and_lose
"""
SHOW_CARD = """
from IPython.display import display
from helpers.claims.card import Card, Row
row = Row("own queues", "5 times", "5 times", "✓ as said", "46 times")
display(Card("q99.1", "it is faster", "holds", (row,), "It is faster."))
"""


@dataclass(frozen=True)
class Outcome:
    """What pytest said about one cell."""

    word: str
    text: str
    seconds: float


@dataclass(frozen=True)
class Session:
    """What pytest said about the notebooks of one folder."""

    folder: Path
    cells: dict[str, list[Outcome]]

    def __getitem__(self, notebook: str) -> list[Outcome]:
        return self.cells[notebook]


def stream(text: str) -> object:
    return v4.new_output("stream", name="stdout", text=text)


def card(*, measured: int = 5, here: int = 46) -> Card:
    row = Row("own queues", "5 times", f"{measured} times", "✓ as said", f"{here} times")
    return Card("q99.1", "it is faster", "holds", (row,), "It is faster.")


def stored_card(kind: str, **other: int) -> object:
    """Return the card as `SHOW_CARD` shows it, with another number in the text or in the HTML."""
    output = shown(card())
    output.data[kind] = shown(card(**other)).data[kind]
    return output


NOTEBOOKS = {
    # name: (code, stored outputs) of each cell; every cell is compared.
    "history": [("x = 41", []), ("x + 1;", []), ("print(len(In))", [stream("4\n")])],
    "children": [(WATCHES_CHILDREN, [stream("True\n")])],
    "death": [("import os", []), ("os._exit(3)", []), ("x = 1", [])],
    "limit": [("import time\ntime.sleep(60)", []), ("x = 1", [])],
    "swallowed": [(SWALLOW_INTERRUPT, []), ("x = 1", [])],
    "svg": [(SHOW_SVG, [v4.new_output("display_data", data=STORED_SVG)])],
    "ports": [(SHOW_TRANSPORT, [stream("ipc\n")])],
    "end": [(CLEAN_UP_AT_END, [])],
    "cards": [
        (SHOW_CARD, [stored_card(kind, **other)])
        for other in ({"here": 9}, {"measured": 9})
        for kind in ("text/plain", "text/html")
    ],
    # The tag of the service is set below; RABBIT_LAB_SERVICES=off takes the service away.
    "needs": [("print('as measured')", [stream("as stored\n")]), ("1 / 0", []), ("x = 1", [])],
}


def write_notebooks(folder: Path) -> None:
    (folder / "conftest.py").write_text(TAKE_CHOSEN_PORTS)
    for name, cells in NOTEBOOKS.items():
        nb = v4.new_notebook()
        for number, (code, outputs) in enumerate(cells, 1):
            cell = v4.new_code_cell(code, outputs=outputs, execution_count=number)
            cell.metadata["tags"] = ["nbval-check-output"]
            nb.cells.append(cell)
        if name == "needs":
            for cell in nb.cells[:2]:
                cell.metadata["tags"] += ["needs-postgresql"]
        if name == "history":
            nb.cells[0].metadata["tags"] += ["measures-rates"]
        write(nb, folder / f"{name}.ipynb")


def start(folder: Path, *options: str, chosen: str = "") -> subprocess.Popen[str]:
    """Run pytest on a folder's notebooks, or one of them, away from this repository's settings."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = measures_rates\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    command += ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={LIMIT_S}"]
    command += [f"--rootdir={folder}", "-c", str(folder / "pytest.ini"), str(folder / chosen)]
    return subprocess.Popen(
        [*command, f"--junitxml={folder / 'results.xml'}"],
        cwd=ROOT,
        env=os.environ | {"RABBIT_LAB_SERVICES": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_session(folder: Path) -> Session:
    cells: dict[str, list[Outcome]] = {}
    for case in ET.parse(folder / "results.xml").iter("testcase"):
        verdict = next((child for child in case if child.tag in NOT_PASSED), None)
        word = "passed" if verdict is None else verdict.tag
        text = "" if verdict is None else (verdict.text or verdict.get("message") or "")
        notebook = case.get("classname", "").split(".")[0]
        outcome = Outcome(word, text, float(case.get("time", "nan")))
        cells.setdefault(notebook, []).append(outcome)
    return Session(folder, cells)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Session]:
    """Return the outcomes of each kind of run."""
    options = {
        "plain": ["-p", "tests.support.nbval_sockets"],
        "repaired": ["-p", "tests.support.nbval_repairs", SANITIZE],
        "with ports": [],
    }
    runs = {}
    for name, plugins in options.items():
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
        write_notebooks(folder)
        chosen = "ports.ipynb" if name == "with ports" else ""
        runs[name] = folder, start(folder, *plugins, chosen=chosen)
    outcomes = {}
    try:
        for name, (folder, run) in runs.items():
            said = run.communicate(timeout=RUN_LIMIT_S)[0]
            assert (folder / "results.xml").exists(), said
            outcomes[name] = read_session(folder)
    finally:
        for _, run in runs.values():
            run.kill()
    return outcomes


@pytest.fixture
def both(sessions: dict[str, Session]) -> tuple[Session, Session]:
    """Return the outcomes without and with the repairs."""
    return sessions["plain"], sessions["repaired"]


def words(outcomes: list[Outcome]) -> list[str]:
    return [outcome.word for outcome in outcomes]


def test_kernels_take_no_ports(sessions):
    assert words(sessions["with ports"]["ports"]) == ["error"]
    assert "Kernel died before replying" in sessions["with ports"]["ports"][0].text
    assert words(sessions["repaired"]["ports"]) == ["passed"]


def test_history_is_as_in_jupyter(both):
    plain, repaired = both
    assert words(plain["history"]) == ["passed", "failure", "failure"]
    assert words(repaired["history"]) == ["passed", "passed", "passed"]


def test_children_are_heard(both):
    plain, repaired = both
    assert words(plain["children"]) == ["failure"]
    assert words(repaired["children"]) == ["passed"]


def test_pictures_are_not_compared(both):
    plain, repaired = both
    assert words(plain["svg"]) == ["failure"]
    assert words(repaired["svg"]) == ["passed"]


def test_a_card_may_differ_only_in_what_is_measured_here(both):
    plain, repaired = both
    assert words(plain["cards"]) == ["failure"] * 4
    assert words(repaired["cards"]) == ["passed", "passed", "failure", "failure"]


def test_a_dead_kernel_is_noticed_within_seconds_and_said_in_one_line(both):
    plain, repaired = both
    assert plain["death"][1].seconds > LIMIT_S
    _, died, after = repaired["death"]
    assert died.seconds < LIMIT_S
    assert died.text.strip() == "Cell 1: the kernel died while this cell ran"
    assert after.text.strip() == "Cell 2: not run: the kernel died in Cell 1"
    assert words(repaired["death"]) == ["passed", "failure", "failure"]


def test_what_follows_a_cell_over_its_limit_is_not_green(both):
    plain, repaired = both
    assert words(plain["limit"]) == ["failure", "passed"]
    assert words(repaired["limit"]) == ["failure", "failure"]
    assert f"Timeout of {LIMIT_S} seconds" in repaired["limit"][0].text
    assert repaired["limit"][1].text.strip() == "Cell 1: not run: Cell 0 went over its time limit"


def test_a_cell_over_its_limit_fails_though_it_swallows_the_interrupt(both):
    plain, repaired = both
    assert words(plain["swallowed"]) == ["passed", "passed"]
    assert words(repaired["swallowed"]) == ["failure", "failure"]
    assert (
        repaired["swallowed"][0].text.strip() == f"Cell 0: this cell took more than its {LIMIT_S} s"
    )


def test_the_kernel_cleans_up_at_its_end(both):
    plain, repaired = both
    assert words(plain["end"]) == words(repaired["end"]) == ["passed"]
    assert not (plain.folder / "cleaned-up").exists()
    assert (repaired.folder / "cleaned-up").exists()


def test_a_cell_whose_service_is_missing_is_run_and_counts_as_skipped(both):
    plain, repaired = both
    assert words(plain["needs"]) == ["failure", "failure", "passed"]
    assert words(repaired["needs"]) == ["skipped", "failure", "passed"]
    assert "PostgreSQL is not used: RABBIT_LAB_SERVICES is off." in repaired["needs"][0].text


def test_a_notebook_that_measures_rates_is_marked(tmp_path):
    write_notebooks(tmp_path)
    chosen = start(
        tmp_path, "-p", "tests.support.nbval_repairs", "--collect-only", "-m", "measures_rates"
    )
    listed = chosen.communicate(timeout=60)[0]
    assert [line for line in listed.splitlines() if "::" in line] == [
        f"history.ipynb::Cell {number}" for number in range(3)
    ]
