"""Run the notebooks on the current broker, and record the cards that agree."""

from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import generation_of, not_recorded
from helpers.services import cluster, node
from helpers.suite.notebooks import records
from helpers.suite.notebooks.cards import claim_ids, tags
from helpers.suite.notebooks.page import write_tables
from helpers.suite.notebooks.refreshing import Outcome, differences, run_each
from helpers.suite.notebooks.running import CELL_S, Run


def judge(
    paths: Sequence[Path],
    session: records.Session,
    *,
    root: Path = ROOT,
    timeout_s: float = CELL_S,
) -> bool:
    """Run notebooks one after the other and record the cards of those that agree.

    The notebooks are not changed. A run with a failing cell, or with cards that differ from
    the stored ones, is printed and not recorded. The tables are written after each notebook.
    Prints one line for each notebook, and first whether the session's generation is recorded.

    Args:
        paths: notebook files.
        session: the date and the versions of this run.
        root: the checkout, whose record of runs and tables are written.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook gave the cards that it has stored.
    """
    if note := not_recorded(generation_of(session.rabbitmq)):
        print(f"RabbitMQ {note}", flush=True)

    def record(path: Path, stored: NotebookNode, result: Run) -> Outcome:
        if complaints := differences(stored, result):
            return Outcome("failed, not recorded", complaints)
        other = elsewhere(stored, session)
        here = [claim for claim in result.passes[0] if claim.id not in other]
        with records.writing(root):  # generations may run at the same time
            records.add(path.name[:3], here, session, root)
            write_tables(root)
        summary = f"{len(result.passes[0])} claims as stored"
        return Outcome(summary + (f"; not on this RabbitMQ: {', '.join(other)}" if other else ""))

    return run_each(paths, record, timeout_s=timeout_s)


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
