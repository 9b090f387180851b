"""Prove a claim: run its experiment, and nothing else of its notebook, on the broker that runs."""

from dataclasses import dataclass

from helpers import broker, services
from helpers.errors import RabbitLabError
from helpers.suite.notebooks import claim_ids, find, run
from helpers.suite.notebooks.cards import Claim, tags
from helpers.suite.notebooks.reach import keep_what_it_needs, leave_out_figures
from helpers.suite.notebooks.running import read


@dataclass(frozen=True)
class Proof:
    """A claim as it was measured now, or why it was not."""

    claim: Claim | None
    why_not: str
    seconds: float


def possible(claim: str) -> bool:
    """Return whether a claim can be measured here: a broker runs, with all that it needs."""
    try:
        broker.find(start=False)
    except RabbitLabError:
        return False
    nb = read(find([claim[:3]])[0])
    return not any(services.missing(tags(cell)) for cell in nb.cells if claim in claim_ids(cell))


def prove(claim: str) -> Proof:
    """Run the experiment of a claim, without figures, and return its card.

    Args:
        claim: its id, such as "q09.3".
    """
    path = find([claim[:3]])[0]
    cell = next(cell.id for cell in read(path).cells if claim in claim_ids(cell))

    def edit(nb):  # type: ignore[no-untyped-def]
        keep_what_it_needs(nb, cell)
        leave_out_figures(nb)

    done = run(path, edit=edit)
    found = next((one for one in done.passes[0] if one.id == claim), None)
    why_not = "" if found else str(done.problems[0] if done.problems else "it showed no card")
    return Proof(found, why_not, done.wall_s)
