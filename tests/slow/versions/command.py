"""Run all notebooks and the labs' correct solutions on each generation of RabbitMQ."""

import signal
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from helpers.rabbitmq.generations import generation_of
from helpers.services import node
from helpers.suite.exits import like_ctrl_c
from helpers.suite.notebooks import find, records, write_tables
from labs.judge import model
from tests.slow.offline import generation, kafka
from tests.slow.versions import debian, runner
from tests.slow.versions.parallel import Processes


def split(_: click.Context, __: click.Parameter, text: str | None) -> list[str] | None:
    """Return the words between commas; None when the option is not given."""
    return None if text is None else [name for name in text.split(",") if name]


@click.command(
    epilog="GENERATION is such as 4.0; none: all. All notebooks and labs are run when neither"
    " option is given, else only the named ones."
)
@click.argument("generations", metavar="[GENERATION]...", nargs=-1)
@click.option("--not", "without", metavar="3.10", callback=split, help="Leave these out.")
@click.option("--others", is_flag=True, help="Leave out the one that is installed here.")
@click.option("--jobs", type=int, default=1, help="How many run at once.", show_default=True)
@click.option("--notebooks", metavar="q04,q10", callback=split, help="Only these notebooks.")
@click.option("--labs", metavar="3,4", callback=split, help="Only these labs.")
@click.option(
    "--debian",
    "debians",
    metavar="forky",
    callback=split,
    help="Run `make test` and correct solutions in a fresh clone on these Debians instead.",
)
@like_ctrl_c(signal.SIGINT, signal.SIGTERM)
def command(
    *,
    generations: Sequence[str],
    without: Sequence[str] | None,
    others: bool,
    jobs: int,
    notebooks: Sequence[str] | None,
    labs: Sequence[str] | None,
    debians: Sequence[str] | None,
) -> int:
    """Run the command; 1 when a notebook or solution failed, or a small behaviour differs."""
    if debians is not None:
        results = [debian.run(suite) for suite in debian.check_suites(debians)]
        print("\n" + "\n".join([*debian.HEADER, *(result.row for result in results)]))
        return 0 if all(result.status == 0 for result in results) else 1
    installed = generation_of(node.version())
    left_out = [*(without or ())]
    if others and installed in generation.GENERATIONS:
        left_out.append(installed)
    names = generation.check_names(generations, left_out)
    every = notebooks is None and labs is None
    paths = find(notebooks or ()) if every or notebooks else []
    numbers = model.numbers() if every else [model.lab_number(text) for text in labs or ()]
    with kafka.running() if runner.needs("kafka", paths) else nullcontext():
        if jobs > 1 and len(names) > 1:
            chosen = {"--notebooks": notebooks, "--labs": labs}
            return _side_by_side(
                names,
                [f"{name}={','.join(each)}" for name, each in chosen.items() if each is not None],
                jobs,
            )
        return _one_by_one(names, paths, numbers)


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


def _side_by_side(names: Sequence[str], options: Sequence[str], jobs: int) -> int:
    results = Processes(options).run(names, jobs)
    rows = [row for result in results for row in result.rows[len(runner.HEADER) :]]
    print("\n" + "\n".join([*runner.HEADER, *rows]), flush=True)
    return max(result.status for result in results)
