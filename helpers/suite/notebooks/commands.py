"""The commands that run the notebooks: ``make notebooks`` and ``make verdicts``."""

from collections.abc import Sequence
from pathlib import Path

import click

from helpers import broker
from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import not_recorded
from helpers.suite.commands import NAMES, NOTEBOOKS
from helpers.suite.notebooks import records
from helpers.suite.notebooks.figure import write_readme_figure
from helpers.suite.notebooks.page import write_tables
from helpers.suite.notebooks.refreshing import compare, find, refresh
from helpers.suite.notebooks.running import CELL_S
from helpers.suite.notebooks.verdicts import judge

TIMEOUT = click.option(
    "--timeout", "timeout_s", type=float, default=CELL_S, metavar="S",
    help="Time limit of each cell, in seconds.", show_default=True,
)  # fmt: skip


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option("--check", is_flag=True, help="Only compare cards with the stored ones.")
@TIMEOUT
def notebooks(names: Sequence[str], check: bool, timeout_s: float) -> int:
    """Run notebooks; 1 when one failed, or with ``check`` gave other cards."""
    return 0 if run_notebooks(names, check=check, timeout_s=timeout_s) else 1


@click.command(epilog=f"{NOTEBOOKS}.")
@NAMES
@click.option("--stored", is_flag=True, help="Run nothing, only write the tables.")
@TIMEOUT
def verdicts(names: Sequence[str], stored: bool, timeout_s: float) -> int:
    """Record verdicts; 1 when a run gave other cards than the stored ones."""
    return 0 if record_verdicts(names, stored=stored, timeout_s=timeout_s) else 1


def run_notebooks(
    names: Sequence[str] = (), *, check: bool = False, timeout_s: float = CELL_S, root: Path = ROOT
) -> bool:
    """Refresh notebooks, the tables and the README's figure.

    Args:
        names: paths, or beginnings of file names such as "q09"; none means all.
        check: only compare the cards with the stored ones; write nothing.
        timeout_s: time limit of each cell in seconds.
        root: the checkout.

    Returns:
        True when everything ran, and with ``check`` gave the stored cards.

    Raises:
        RabbitLabError: an unknown notebook, or the README or the record has another form.
    """
    paths = find(names, root=root)
    if check:
        if note := not_recorded(broker.generation()):
            print(f"RabbitMQ {note}", flush=True)
        return compare(paths, timeout_s=timeout_s)
    fine = refresh(paths, timeout_s=timeout_s)
    write_tables(root)
    write_readme_figure(root)
    return fine


def record_verdicts(
    names: Sequence[str] = (), *, stored: bool = False, timeout_s: float = CELL_S, root: Path = ROOT
) -> bool:
    """Record the notebooks' verdicts on the current broker, then write the tables.

    Args:
        names: paths, or beginnings of file names such as "q09"; none means all.
        stored: run nothing; write the tables from stored and recorded lines.
        timeout_s: time limit of each cell in seconds.
        root: the checkout.

    Returns:
        True when every run gave the stored cards.

    Raises:
        RabbitLabError: no broker, or a notebook, the README or the record has another form.
    """
    paths = find(names, root=root)
    fine = True
    if not stored:
        found = broker.find()
        print(f"RabbitMQ {found.version} on Erlang {found.erlang} ({found.source})", flush=True)
        session = records.this_session(found)
        fine = judge(paths, session, root=root, timeout_s=timeout_s)
    for file in write_tables(root):
        print(f"{file.relative_to(root)} was brought in step")
    return fine
