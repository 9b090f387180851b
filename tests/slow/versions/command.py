"""Run all notebooks and the labs' correct solutions on each generation of RabbitMQ."""

import signal
from collections.abc import Sequence
from contextlib import nullcontext

import click

from helpers.suite.exits import like_ctrl_c
from helpers.suite.notebooks import find, write_tables
from labs.judge import model
from tests.slow.offline import generation, kafka
from tests.slow.versions import runner


@click.command(
    epilog="GENERATION is such as 4.0; none: all. All notebooks and labs are run when neither"
    " option is given, else only what is named."
)
@click.argument("generations", metavar="[GENERATION]...", nargs=-1)
@click.option("--notebooks", metavar="q04,q10", help="Only these notebooks.")
@click.option("--labs", metavar="3,4", help="Only these labs.")
@like_ctrl_c(signal.SIGINT, signal.SIGTERM)
def command(generations: Sequence[str], notebooks: str | None, labs: str | None) -> int:
    """Run the command; 1 when a notebook or solution failed, or a small behaviour differs."""
    tallies = []
    try:
        names = generation.check_names(generations)
        every = notebooks is None and labs is None
        paths = find(_split(notebooks)) if every or notebooks else []
        numbers = model.numbers() if every else [model.lab_number(text) for text in _split(labs)]
        with kafka.running() if runner.needs("kafka", paths) else nullcontext():
            for name in names:
                with generation.running(name) as found:
                    print(f"RabbitMQ {found.version} on Erlang {found.erlang}", flush=True)
                    tallies.append(runner.run(found, paths, numbers))
                    write_tables()
    finally:
        if tallies:
            print(f"\n{runner.table(tallies)}", flush=True)
    return 0 if all(tally.fine for tally in tallies) else 1


def _split(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]
