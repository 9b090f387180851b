"""Run the notebooks on the current broker and record the claim lines that agree."""

from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode

from helpers.machine.paths import ROOT
from helpers.services import cluster, node
from helpers.suite.notebooks import records
from helpers.suite.notebooks.claimlines import claim_ids, tags
from helpers.suite.notebooks.page import write_tables
from helpers.suite.notebooks.refreshing import Outcome, differences, run_each
from helpers.suite.notebooks.running import Run


def judge(
    paths: Sequence[Path],
    session: records.Session,
    *,
    root: Path = ROOT,
    timeout_s: float = 60.0,
) -> bool:
    """Run notebooks one after the other and record the claim lines of those that agree.

    The notebooks are not changed. A run with a failing cell, or with claim lines that differ from
    the stored ones, is printed and not recorded. The tables are written after each notebook.
    Prints one line for each notebook.

    Args:
        paths: notebook files.
        session: the date and the versions that they run on.
        root: the checkout, whose record of runs and tables are written.
        timeout_s: time limit of each cell in seconds.

    Returns:
        True when every notebook gave the claim lines that it has stored.
    """

    def record(path: Path, stored: NotebookNode, result: Run) -> Outcome:
        if complaints := differences(stored, result):
            return Outcome("failed, not recorded", complaints)
        other = elsewhere(stored, session)
        here = [claim for claim in result.passes[0] if claim.id not in other]
        records.add(path.name[:3], here, session, root)
        write_tables(root)
        summary = f"{len(result.passes[0])} claims as stored"
        return Outcome(summary + (f"; not on this RabbitMQ: {', '.join(other)}" if other else ""))

    return run_each(paths, record, timeout_s=timeout_s)


def elsewhere(stored: NotebookNode, session: records.Session) -> list[str]:
    """Return the claims that are measured on a RabbitMQ of another generation than the session's.

    They kill a private node, which is this machine's RabbitMQ whatever broker is used, or a node
    of a cluster.

    Args:
        stored: a notebook; cells tagged ``needs-node`` or ``needs-cluster`` count.
        session: the versions that the other claims are recorded with.
    """
    found: set[str] = set()
    for tag, service in {"needs-node": node, "needs-cluster": cluster}.items():
        own = [cell for cell in stored.cells if tag in tags(cell)]
        if own and records.generation(service.version()) != records.generation(session.rabbitmq):
            found |= {claim for cell in own for claim in claim_ids(cell)}
    return sorted(found)
