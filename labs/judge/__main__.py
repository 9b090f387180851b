"""The labs on the command line: ``python -m labs.judge check 3``."""

import argparse
import sys
from pathlib import Path

from helpers.errors import RabbitLabError, UsageError
from labs.judge import checking, progress
from labs.judge.model import lab_number, load
from labs.judge.sandbox.limits import Limits

INSTRUCTOR = Path(__file__).with_name("instructor")


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when all is well or everything holds, 1 when something is broken, 2 after wrong usage.
    """
    parser = argparse.ArgumentParser(prog="python -m labs.judge", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check a lab, or show how all of them stand")
    check.add_argument("lab", nargs="?", help="number of the lab; none shows all")
    check.add_argument("file", nargs="?", type=Path, help="Python file; default work/labNN.py")
    check.add_argument("--json", type=Path, help="write the verdict to this file")
    check.add_argument("--hidden", action="store_true", help="judge the hidden cases as well")
    check.add_argument("--sandbox", action="store_true", help="in a sandbox of bubblewrap, if any")
    check.add_argument("--seconds", type=float, default=60.0, help="time limit of the check")
    check.set_defaults(run=_check)
    if INSTRUCTOR.exists():  # a student's version has none
        from labs.judge.instructor.commands import add

        add(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
        return code
    except RabbitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130


def _check(options: argparse.Namespace) -> int:
    if options.lab is None:
        print(progress.overview())
        return 0
    number = lab_number(options.lab)
    lab = load(number)
    file = options.file or progress.file_of(number)
    limits = Limits(seconds=options.seconds, sandboxed=options.sandbox)
    verdict = checking.check(number, file, limits=limits, hidden=options.hidden)
    if options.json:
        options.json.write_text(checking.as_json(verdict), encoding="utf-8")
    else:
        progress.keep(verdict)
    print(checking.report(lab, verdict, file.name))
    return 1 if verdict.broken or verdict.unusable else 0


if __name__ == "__main__":
    sys.exit(main())
