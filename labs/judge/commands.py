"""The command that judges a lab: ``make check`` and ``python -m labs.judge check``."""

from collections.abc import Sequence
from pathlib import Path

import click

from helpers.suite import exits
from labs.judge import checking, progress
from labs.judge.model import lab_number, load
from labs.judge.sandbox.limits import Limits

SECONDS = click.option(
    "--seconds", type=float, default=240.0, help="Time limit of a check.", show_default=True
)


@click.command(epilog="LAB is a number; without it, the last results are shown.")
@click.argument("lab", required=False)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the verdict there.")
@click.option("--hidden", is_flag=True, help="Judge the hidden cases as well.")
@click.option(
    "--sandbox/--no-sandbox", default=True, help="In a sandbox of bubblewrap, where it works."
)
@SECONDS
def check(
    *,
    lab: str | None,
    file: Path | None,
    target: Path | None,
    hidden: bool,
    sandbox: bool,
    seconds: float,
) -> int:
    """Judge a file for a lab, or show how all labs stand; 1 when something is broken."""
    if lab is None:
        print(progress.overview())
        return 0
    number = lab_number(lab)
    chosen = load(number)
    file = file or progress.file_of(number)
    limits = Limits(seconds=seconds, sandboxed=sandbox)
    verdict = checking.check(number, file, limits=limits, hidden=hidden)
    if target:
        target.write_text(checking.as_json(verdict), encoding="utf-8")
    else:
        progress.keep(verdict)
    print(checking.report(chosen, verdict, file.name))
    return 1 if verdict.broken or verdict.unusable else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the module's name; None takes those of this process.

    Returns:
        0 when everything holds, 1 when something is broken, 2 after wrong usage.
    """
    group = click.Group(commands={"check": check})
    return exits.run(group, arguments, program="python -m labs.judge")
