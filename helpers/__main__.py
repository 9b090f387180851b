"""The command line: ``python -m helpers COMMAND``, which the Makefile calls."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

from helpers.errors import RabbitLabError, UsageError
from helpers.machine.paths import ROOT

Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows the program's name; None takes the process's own.

    Returns:
        The exit code: 0 when all is well, 1 after an error, 2 after wrong usage, 130 after Ctrl-C.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not options.passes_on:
        parser.error(f"unknown argument: {' '.join(rest)}")
    options.rest = rest
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except RabbitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Command, text: str, *, passes_on: bool = False) -> None:
        command = commands.add_parser(name, help=text, description=text, add_help=not passes_on)
        command.set_defaults(run=run, passes_on=passes_on)
        if name == "lab":
            command.add_argument("--no-browser", action="store_true", help="open no browser")
            command.add_argument("--ip", default="127.0.0.1", help="address to listen on")
            command.add_argument("--port", type=int, help="port to listen on")
            command.add_argument("--published", type=int, help="port that leads there from outside")
        if name == "up":
            text = "three nodes in one cluster, beside the broker"
            command.add_argument("--cluster", action="store_true", help=text)

    add("up", _up, "find a broker or start one")
    add("down", _down, "stop the broker that we started")
    add("status", _status, "tell whether a broker runs, where, and who uses it")
    add("doctor", _doctor, "tell what would keep the notebooks from running")
    add("lab", _lab, "open JupyterLab on the notebooks, with a live broker")
    add("test", _test, "run lint, tests and every notebook")
    add("twice", _twice, "run every notebook's cells twice, and experiments again")
    add("lint", _lint, "run ruff and mypy")
    add("notebooks", _notebooks, "run the notebooks and write their outputs", passes_on=True)
    add("verdicts", _verdicts, "run the notebooks and record their verdicts", passes_on=True)
    add("drill", _drill, "ask the questions of the interview drills", passes_on=True)
    add("labs", _module("labs.judge"), "check, prove and grade labs", passes_on=True)
    add("sabotage", _module("tests.slow.sabotage"), "break each claim on purpose", passes_on=True)
    add("browser", _module("tests.slow.browser"), "run the notebooks in a browser", passes_on=True)
    add("containers", _module("tests.slow.containers"), "test the Compose stack", passes_on=True)
    add("versions", _module("tests.slow.versions"), "run all on 3.10, 4.0 and 4.3", passes_on=True)
    add("bench", _module("tests.slow.bench"), "measure what is not a timed test", passes_on=True)
    return parser


def _up(options: argparse.Namespace) -> int:
    from helpers import broker
    from helpers.suite import doctor

    print(doctor.start_cluster() if options.cluster else doctor.describe(broker.find()))
    return 0


def _down(_: argparse.Namespace) -> int:
    from helpers.suite import doctor

    print(doctor.stop_what_is_ours())
    return 0


def _status(_: argparse.Namespace) -> int:
    from helpers.suite import doctor

    print(doctor.status())
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from helpers.suite import doctor

    findings = doctor.examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.fine for finding in findings) else 1


def _lab(options: argparse.Namespace) -> int:
    from helpers.suite import jupyterlab

    return jupyterlab.run(
        ip=options.ip,
        port=options.port,
        published=options.published,
        browser=not options.no_browser,
    )


def _test(_: argparse.Namespace) -> int:
    from helpers.suite import checks

    return checks.run()


def _twice(_: argparse.Namespace) -> int:
    from helpers.suite import checks

    return checks.twice()


def _lint(_: argparse.Namespace) -> int:
    from helpers.suite import checks

    return checks.lint()


def _notebooks(options: argparse.Namespace) -> int:
    from helpers.suite import notebooks

    return notebooks.main(options.rest)


def _verdicts(options: argparse.Namespace) -> int:
    from helpers.suite.notebooks import verdicts

    return verdicts.main(options.rest)


def _drill(options: argparse.Namespace) -> int:
    from helpers.suite import drill

    return drill.main(options.rest)


def _module(name: str) -> Command:
    # These live beside the tests, which are no part of the package.
    def run(options: argparse.Namespace) -> int:
        return subprocess.run(
            [sys.executable, "-m", name, *options.rest], cwd=ROOT, check=False
        ).returncode

    return run


if __name__ == "__main__":
    sys.exit(main())
