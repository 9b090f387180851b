"""The command that builds the book: ``make book``."""

import time
from pathlib import Path

import click

from helpers.errors import UsageError
from helpers.machine import packages
from helpers.machine.paths import ROOT, shown, work

LOCK = ROOT / "requirements-book.lock"


@click.command
@click.option(
    "--out", type=click.Path(path_type=Path),
    help="Folder for the book; default work/book, or work/book-instructors.",
)  # fmt: skip
@click.option(
    "--instructors", is_flag=True, help="With the guides, the hidden cases and the solutions."
)
@click.option(
    "--print", "printed", is_flag=True, help="Make a PDF of each question, too, in its folder pdf."
)
def book(out: Path | None, instructors: bool, printed: bool) -> int:
    """Build the book from the stored notebooks; nothing is executed."""
    from book import building, printing

    if instructors and not (ROOT / "docs" / "instructors.md").exists():
        raise UsageError(
            "this copy has no guides and no solutions: build the instructors' edition in the whole"
            " repository"
        )
    target = (out or work() / ("book-instructors" if instructors else "book")).absolute()
    packages.ensure(LOCK)
    began_s = time.monotonic()
    followed = building.build(target, instructors=instructors)
    took_s = time.monotonic() - began_s
    print(f"{shown(target / 'index.html')} is written in {took_s:.0f} s; {followed} links followed")
    if printed:
        for file in printing.write(target):
            print(f"{shown(file)} is written", flush=True)
    return 0
