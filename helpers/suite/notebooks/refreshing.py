"""Run the committed notebooks, write their outputs back, and keep the tables in step."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers import broker, services
from helpers.errors import RabbitLabError, UsageError
from helpers.machine.paths import ROOT, notebooks
from helpers.rabbitmq.generations import not_recorded
from helpers.stored import collecting
from helpers.suite.notebooks.claimlines import claim_ids, claim_lines, tags
from helpers.suite.notebooks.figure import write_readme_figure
from helpers.suite.notebooks.normal import normalise
from helpers.suite.notebooks.page import write_tables
from helpers.suite.notebooks.running import Run, read, run


def find(names: Sequence[str] = (), *, root: Path = ROOT) -> list[Path]:
    """Return the notebooks that are meant.

    Args:
        names: paths, or beginnings of file names such as "q09"; none means all.
        root: the checkout.

    Raises:
        UsageError: no notebook has that name.
    """
    every = list(notebooks(root).values())
    if not names:
        return every
    found: list[Path] = []
    for name in names:
        if name.endswith(".ipynb") and Path(name).is_file():
            matches = [Path(name)]
        else:
            matches = [path for path in every if path.name.startswith(name)] if name else []
        if not matches:
            known = ", ".join(path.stem for path in every) or "none yet"
            raise UsageError(f"there is no notebook {name!r}; there are: {known}")
        found += [path for path in matches if path not in found]
    return found


def refresh(paths: Sequence[Path], *, check: bool = False, timeout_s: float = 60.0) -> bool:
    """Run notebooks one after the other, and store what they gave.

    Each is written back in normal form, together with the results that are to be shown where a
    service is missing. If a cell failed, or could not check its claim, the notebook stays as it is
    and the cell or claim is printed with its numbers. Prints one line for each notebook.

    Args:
        paths: notebook files.
        check: only compare the claim lines with the stored ones; write nothing.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook ran, and with ``check`` gave the stored claim lines.
    """
    every_fine = True
    for path in paths:
        with collecting() as keep:
            result = run(path, timeout_s=timeout_s)
            details = [str(problem) for problem in result.problems]
            absent = skipped(read(path), result)
            if check and not details:
                details = differences(read(path), result)
            if not check and not details:
                details = [f"{claim} needs a service that is missing" for claim in absent]
            if not details and not check:
                _write(path, normalise(result.notebook))
                keep()
        fine = not details
        every_fine = every_fine and fine
        done = f"{len(result.passes[0])} claims" + (" as stored" if check else "")
        done += f"; skipped: {', '.join(absent)}" if absent else ""
        failed = "the stored notebook and this run differ" if check else "failed, not written"
        print(f"{path.stem:<24} {result.wall_s:6.1f} s   {done if fine else failed}", flush=True)
        for detail in details:
            print("  " + detail.replace("\n", "\n  "), flush=True)
    return every_fine


def differences(stored: NotebookNode, result: Run) -> list[str]:
    """Return where a run's claim lines are not those that the notebook has stored.

    A cell tagged ``needs-…`` prints no claim line when the service that it needs is absent.

    Args:
        stored: the notebook as it was before the run.
        result: its run.
    """
    before = {claim.id: claim.text for claim in claim_lines(stored)}
    now = {claim.id: claim.text for claim in result.passes[0]}
    for claim in skipped(stored, result):
        before.pop(claim, None)
    return [
        f"stored: {before.get(claim, 'nothing')}\nnow:    {now.get(claim, 'nothing')}"
        for claim in sorted(before.keys() | now.keys())
        if before.get(claim) != now.get(claim)
    ]


def skipped(stored: NotebookNode, result: Run) -> list[str]:
    """Return the claims that a run did not check because a service that they need is absent."""
    now = {claim.id for claim in result.passes[0]}
    without = [cell for cell in stored.cells if services.missing(tags(cell))]
    return sorted({claim for cell in without for claim in claim_ids(cell)} - now)


def _write(path: Path, nb: NotebookNode) -> None:
    text = nbformat.writes(nb)
    # A reader, or a run that is interrupted, never sees half a notebook.
    half = path.with_name(f".{path.name}.new")
    half.write_text(text + "\n", encoding="utf-8")
    half.replace(path)


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Refresh the notebooks named on the command line, the tables and the README's figure.

    Args:
        argv: names of notebooks and ``--check``; None takes the command line's.
        root: the checkout.

    Returns:
        Exit status: 0 when everything ran, 1 otherwise.
    """
    parser = argparse.ArgumentParser(
        prog="python -m helpers notebooks",
        description="Run notebooks, each on a fresh vhost, and write their outputs back.",
    )
    parser.add_argument("names", nargs="*", help="q09, or a path; all when none is given")
    parser.add_argument(
        "--check", action="store_true", help="compare claim lines with the stored, write nothing"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="time limit of each cell [s]"
    )
    options = parser.parse_args(argv)
    try:
        if options.check and (note := not_recorded(broker.generation())):
            print(f"RabbitMQ {note}", flush=True)
        fine = refresh(
            find(options.names, root=root), check=options.check, timeout_s=options.timeout
        )
        if not options.check:
            write_tables(root)
            write_readme_figure(root)
    except RabbitLabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if fine else 1
