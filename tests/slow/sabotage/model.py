"""Sabotages: their application to a notebook, and their outcome."""

from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.errors import UsageError
from tests.slow.sabotage.running import Comparison


class SabotageError(UsageError):
    """A sabotage does not fit its notebook; the message says why."""


@dataclass(frozen=True)
class Sabotage:
    """One small change to a notebook's code under which exactly one claim must fail.

    Args:
        claim: id of the claim that must fail, like "q02.1".
        cell: id of the cell to change.
        find: text that stands exactly once in that cell.
        replace: what stands there instead.
        why: what is broken, in a few words, as the report prints it.
    """

    claim: str
    cell: str
    find: str
    replace: str
    why: str

    def apply(self, nb: NotebookNode) -> None:
        """Change the notebook in memory.

        Raises:
            SabotageError: the cell or the text is not there exactly once, or nothing changes.
        """
        cells = [c for c in nb.cells if c.id == self.cell and c.cell_type == "code"]
        if len(cells) != 1:
            raise SabotageError(f"{self.claim}: there is no code cell {self.cell!r} to sabotage")
        times = cells[0].source.count(self.find) if self.find else 0
        if times != 1:
            raise SabotageError(
                f"{self.claim}: {self.find!r} must stand exactly once in the cell {self.cell!r}, "
                f"not {times} times"
            )
        if self.replace == self.find:
            raise SabotageError(f"{self.claim}: the sabotage of {self.cell!r} changes nothing")
        cells[0].source = cells[0].source.replace(self.find, self.replace)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a sabotage.

    ``word`` is "killed": exactly the claim failed; "survived": no claim did; "collateral": others
    failed too, or instead; "broken": something other than a claim went wrong; "skipped": a
    service that the claim needs is missing.
    """

    sabotage: Sabotage
    word: str
    detail: str = ""

    @classmethod
    def of(cls, sabotage: Sabotage, ran: Comparison) -> "Outcome":
        """Return what became of a sabotage, from the comparison of its run."""
        for problem in ran.problems:
            if not problem.claims or problem.name != "ClaimFailedError":
                return cls(sabotage, "broken", str(problem))
        others = ", ".join(sorted(ran.changed - {sabotage.claim}))
        if others:
            alone = "" if sabotage.claim in ran.changed else f", while {sabotage.claim} survived"
            return cls(sabotage, "collateral", f"{others} failed too{alone}")
        return cls(sabotage, "killed" if ran.changed else "survived")
