"""The command that judges a lab: ``make check`` and ``python -m labs.judge check``."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from helpers.errors import UsageError
from helpers.machine import files
from helpers.suite import exits
from labs.judge import brief, checking, progress
from labs.judge.model import lab_number, load
from labs.judge.sandbox.limits import Limits

SECONDS = click.option(
    "--seconds",
    type=float,
    default=Limits.seconds,
    help="Time limit of a check.",
    show_default=True,
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
    """Judge a file for a lab, or show how all labs stand; 1 unless everything holds."""
    if lab is None:
        print(progress.overview())
        return 0
    number = lab_number(lab)
    chosen = load(number)
    file = file or progress.file_of(number)
    limits = Limits(seconds=seconds, sandboxed=sandbox)
    with _code(file) as code:
        verdict = checking.check(number, code, limits=limits, hidden=hidden)
    if target:
        files.write(target, checking.as_json(verdict))
    print(checking.report(chosen, verdict, file.name), flush=True)
    if not target:
        progress.keep(verdict)  # last: on a full disk the verdict is shown all the same
    return 0 if all(verdict.holds(key) for key in chosen.requirements) else 1


@contextmanager
def _code(file: Path) -> Iterator[Path]:
    """Yield the file, or for a notebook a file with the code of its ``%%lab`` cell."""
    if file.suffix.lower() != ".ipynb" or not file.is_file():
        yield file
        return
    try:
        code, _ = brief.handed_in(file.read_text(encoding="utf-8"))
    except (UsageError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be judged: {error}") from None
    with tempfile.TemporaryDirectory(prefix="brief-") as folder:
        extracted = Path(folder) / f"{file.stem}.py"
        extracted.write_text(code, encoding="utf-8")
        yield extracted


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after the module's name; None takes those of this process.

    Returns:
        0 when everything holds, 1 when something does not, 2 after wrong usage.
    """
    group = click.Group(commands={"check": check})
    return exits.run(group, arguments, program="python -m labs.judge")
