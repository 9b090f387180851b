"""Sabotages: their application to a notebook, and their outcome."""

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite.notebooks import Claim, Problem


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

    def apply_without_figures(self, nb: NotebookNode) -> None:
        """Change the notebook in memory, and take out its figures: no claim depends on them.

        Raises:
            SabotageError: as `apply`.
        """
        self.apply(nb)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.source = _without_figures(cell.source)


def _without_figures(source: str) -> str:
    """Return code without its statements that only call a function of ``plots``."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # which is for the run to report
        return source
    lines: list[str] = source.splitlines()
    for each in statements:
        if isinstance(each, ast.Expr) and ast.unparse(each).startswith("plots."):
            last = each.end_lineno or each.lineno
            lines[each.lineno - 1 : last] = [""] * (last - each.lineno + 1)
    return "\n".join(lines)


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
    def of(
        cls,
        sabotage: Sabotage,
        *,
        stored: Iterable[Claim],
        now: Iterable[Claim],
        problems: Iterable[Problem],
        unmeasured: Collection[str] = (),
    ) -> "Outcome":
        """Compare the cards of a sabotaged run with the stored ones.

        Args:
            sabotage: what was changed.
            stored: the cards in the notebook file.
            now: the cards of the sabotaged run.
            problems: the cells that failed.
            unmeasured: claims whose service is missing here: their cards are not compared.
        """
        for problem in problems:
            if not problem.claims or problem.name != "ClaimFailedError":
                return cls(sabotage, "broken", str(problem))
        before = {claim.id: claim.text for claim in stored}
        after = {claim.id: claim.text for claim in now}
        compared = (before | after).keys() - set(unmeasured)
        failed = {claim for claim in compared if before.get(claim) != after.get(claim)}
        others = ", ".join(sorted(failed - {sabotage.claim}))
        if others:
            alone = "" if sabotage.claim in failed else f", while {sabotage.claim} survived"
            return cls(sabotage, "collateral", f"{others} failed too{alone}")
        return cls(sabotage, "killed" if failed else "survived")
