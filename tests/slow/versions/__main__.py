"""Run all notebooks and the labs' correct solutions on each generation of RabbitMQ.

``python -m tests.slow.versions [3.10 4.0 4.3] [--not 3.10] [--jobs 2] [--notebooks q04,q10]
[--labs 3,4]``; all notebooks and labs when neither is named. Needs root.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from helpers.errors import RabbitLabError, UsageError
from helpers.suite.notebooks import find, records, write_tables
from labs.judge import model
from tests.slow.offline import generation, kafka
from tests.slow.versions import runner
from tests.slow.versions.parallel import Processes
from tests.support import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        Exit status: 0 when every notebook and solution passed, 1 when one did not, 2 after wrong
        usage, 130 after Ctrl-C.
    """
    options = _parse(arguments)
    try:
        names = generation.check_names(options.generations, options.without)
        every = options.notebooks is None and options.labs is None
        paths = find(options.notebooks or ()) if every or options.notebooks else []
        named = [model.lab_number(text) for text in options.labs or ()]
        numbers = model.numbers() if every else named
        with kafka.running() if runner.needs("kafka", paths) else nullcontext():
            if options.jobs > 1 and len(names) > 1:
                return _side_by_side(names, options)
            return _one_by_one(names, paths, numbers)
    except RabbitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    first, _, rest = str(__doc__).partition("\n")
    parser = argparse.ArgumentParser(prog="make test-versions", description=first, epilog=rest)
    add = parser.add_argument
    add("generations", nargs="*", help="such as 4.0; all when none is given")
    add("--not", type=_split, metavar="3.10", dest="without", default=[], help="leave these out")
    add("--jobs", type=int, metavar="N", default=1, help="generations at the same time; default 1")
    add("--notebooks", type=_split, metavar="q04,q10", help="only these notebooks")
    add("--labs", type=_split, metavar="3,4", help="only these labs")
    return parser.parse_args(arguments)


def _one_by_one(names: Sequence[str], paths: Sequence[Path], numbers: Sequence[int]) -> int:
    tallies: list[runner.Tally] = []
    try:
        for name in names:
            with generation.running(name) as shared:
                print(f"RabbitMQ {shared.version} on Erlang {shared.erlang}", flush=True)
                tallies.append(runner.run(shared, paths, numbers))
                with records.writing():
                    write_tables()
    finally:
        if tallies:
            print(f"\n{runner.table(tallies)}", flush=True)
    return 0 if all(tally.fine for tally in tallies) else 1


def _side_by_side(names: Sequence[str], options: argparse.Namespace) -> int:
    chosen = {"--notebooks": options.notebooks, "--labs": options.labs}
    passed_on = [f"{name}={','.join(value)}" for name, value in chosen.items() if value is not None]
    results = Processes(passed_on).run(names, options.jobs)
    rows = [row for result in results for row in result.rows[len(runner.HEADER) :]]
    print("\n" + "\n".join([*runner.HEADER, *rows]), flush=True)
    return max(result.status for result in results)


def _split(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


if __name__ == "__main__":
    # A shell starts background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command.run(main)
