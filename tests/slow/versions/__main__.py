"""Run all notebooks and the labs' correct solutions on each generation of RabbitMQ.

``python -m tests.slow.versions [3.10 4.0 4.3] [--notebooks q04,q10] [--labs 3,4]``; all of both
when neither is named, else only what is named. Needs root.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from helpers.errors import RabbitLabError, UsageError
from helpers.suite.notebooks import find, write_tables
from labs.judge import model
from tests.slow.offline import generation, kafka
from tests.slow.versions import runner
from tests.support import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        Exit status: 0 when every notebook and solution passed, 1 when not, 2 after wrong usage,
        130 after Ctrl-C.
    """
    first, _, rest = str(__doc__).partition("\n")
    parser = argparse.ArgumentParser(prog="make test-versions", description=first, epilog=rest)
    parser.add_argument("generations", nargs="*", help="such as 4.0; all when none is given")
    parser.add_argument("--notebooks", type=_split, metavar="q04,q10", help="only these notebooks")
    parser.add_argument("--labs", type=_split, metavar="3,4", help="only these labs")
    options = parser.parse_args(arguments)
    tallies = []
    try:
        names = generation.check_names(options.generations)
        every = options.notebooks is None and options.labs is None
        paths = find(options.notebooks or ()) if every or options.notebooks else []
        named = [model.lab_number(text) for text in options.labs or ()]
        numbers = model.numbers() if every else named
        with kafka.running() if runner.needs("kafka", paths) else nullcontext():
            for name in names:
                with generation.running(name) as found:
                    print(f"RabbitMQ {found.version} on Erlang {found.erlang}", flush=True)
                    tallies.append(runner.run(found, paths, numbers))
                    write_tables()
    except RabbitLabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        return 130
    finally:
        if tallies:
            print(f"\n{runner.table(tallies)}", flush=True)
    return 0 if all(tally.fine for tally in tallies) else 1


def _split(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


if __name__ == "__main__":
    # A shell starts what runs in the background with interrupts ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command.run(main)
