"""Put every claim on trial on the current broker, record the run, write the tables."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from helpers import broker
from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import generation_of, not_recorded
from helpers.services import cluster, node
from helpers.suite.notebooks import records
from helpers.suite.notebooks.claimlines import claim_ids, tags
from helpers.suite.notebooks.page import write_tables
from helpers.suite.notebooks.refreshing import differences, find, skipped
from helpers.suite.notebooks.running import read, run


def judge(
    paths: Sequence[Path],
    session: records.Session,
    *,
    root: Path = ROOT,
    timeout_s: float = 60.0,
) -> bool:
    """Run notebooks one after the other and record the claim lines of those that agree.

    The notebooks are not changed. A run with a failing cell, or with claim lines that are not
    the stored ones, is printed and not recorded. The tables are updated after each notebook.
    Prints one line for each notebook, and first whether the session's generation is recorded.

    Args:
        paths: notebook files.
        session: the date and versions of this run.
        root: the checkout, whose record of runs and tables are written.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook gave the claim lines that it has stored.
    """
    if note := not_recorded(generation_of(session.rabbitmq)):
        print(f"RabbitMQ {note}", flush=True)
    every_fine = True
    for path in paths:
        stored = read(path)
        result = run(path, timeout_s=timeout_s)
        details = [str(problem) for problem in result.problems] or differences(stored, result)
        absent = skipped(stored, result)
        if details:
            every_fine, outcome = False, "failed, not recorded"
        else:
            other = elsewhere(stored, session)
            here = [claim for claim in result.passes[0] if claim.id not in other]
            with records.writing(root):  # generations may run at the same time
                records.add(path.name[:3], here, session, root)
                write_tables(root)
            outcome = f"{len(result.passes[0])} claims as stored"
            outcome += f"; not on this RabbitMQ: {', '.join(other)}" if other else ""
            outcome += f"; skipped: {', '.join(absent)}" if absent else ""
        print(f"{path.stem:<24} {result.wall_s:6.1f} s   {outcome}", flush=True)
        for detail in details:
            print("  " + detail.replace("\n", "\n  "), flush=True)
    return every_fine


def elsewhere(stored: NotebookNode, session: records.Session) -> list[str]:
    """Return the claims that are measured on a RabbitMQ of another generation than the session's.

    They kill a node of a cluster, or a disposable node of the RabbitMQ that is installed on this
    machine, whichever broker the other claims are measured on.

    Args:
        stored: a notebook; only cells tagged ``needs-node`` or ``needs-cluster`` count.
        session: the session in which the other claims are recorded.
    """
    claims: set[str] = set()
    for tag, service in {"needs-node": node, "needs-cluster": cluster}.items():
        own = [cell for cell in stored.cells if tag in tags(cell)]
        if own and generation_of(service.version()) != generation_of(session.rabbitmq):
            claims |= {claim for cell in own for claim in claim_ids(cell)}
    return sorted(claims)


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Judge the notebooks named on the command line, then write the README's part and the page.

    Args:
        argv: names of notebooks and ``--stored``; None takes the command line's.
        root: the checkout.

    Returns:
        Exit status: 0 when every run gave the stored claim lines, 1 otherwise.

    Raises:
        RabbitLabError: no broker, or a notebook, the README or the record has another form.
    """
    parser = argparse.ArgumentParser(
        prog="python -m helpers verdicts",
        description="Run notebooks, record what they claim on this broker, write the tables.",
    )
    parser.add_argument("names", nargs="*", help="q09, or a path; all when none is given")
    parser.add_argument(
        "--stored", action="store_true", help="run nothing: tables of what is stored and recorded"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="time limit of each cell [s]"
    )
    options = parser.parse_args(argv)
    paths = find(options.names, root=root)
    fine = True
    if not options.stored:
        found = broker.find()
        print(f"RabbitMQ {found.version} on Erlang {found.erlang} ({found.source})", flush=True)
        session = records.this_session(found)
        fine = judge(paths, session, root=root, timeout_s=options.timeout)
    for file in write_tables(root):
        print(f"{file.relative_to(root)} was brought in step")
    return 0 if fine else 1
