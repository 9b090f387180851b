"""Mutants of a notebook, the reasons for some of them, and their outcome."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from helpers.errors import UsageError
from helpers.suite.notebooks import CHECK_TAG
from helpers.suite.notebooks.cards import tags
from tests.slow.mutants.finding import Edit, decisions, signatures
from tests.slow.sabotage.running import Comparison
from tests.support.turns import TURN_TAG

REASONS = Path(__file__).with_name("reasons.toml")
ENTRIES = ("notebook", "cell", "code", "reason")
TIME_LIMIT = "TimeLimit"  # the name of the problem of a cell that took too long
Key = tuple[str, str, str, int]


@dataclass(frozen=True)
class Mutant:
    """One delivery decision of a notebook, flipped.

    ``code`` is the line of the cell after the change, and ``nth`` tells equal ones of a cell apart.
    """

    notebook: str  # such as "q02"
    cell: str
    line: int
    edit: Edit
    code: str
    nth: int = 1

    @property
    def key(self) -> Key:
        """What a reason names it by."""
        return self.notebook, self.cell, self.code, self.nth

    def __str__(self) -> str:
        return f"{self.notebook}  {self.cell}:{self.line}  {self.edit.change}"

    def apply(self, nb: NotebookNode) -> None:
        """Change the notebook in memory."""
        (cell,) = (cell for cell in nb.cells if cell.id == self.cell)
        cell.source = self.edit.apply(cell.source)


def mutants_of(nb: NotebookNode, notebook: str) -> list[Mutant]:
    """Return a mutant for each delivery decision in the code of a notebook, but its claims.

    An experiment's decisions stand in its own cell and in the functions that it uses.

    Args:
        nb: the notebook.
        notebook: its name, such as "q02".
    """
    judged = {CHECK_TAG, TURN_TAG}  # a claim's rows; what the reader sets
    cells = [c for c in nb.cells if c.cell_type == "code" and not judged.intersection(tags(c))]
    known = signatures([cell.source for cell in cells])
    found = []
    for cell in cells:
        seen: Counter[str] = Counter()
        for edit in decisions(cell.source, known):
            line = cell.source.encode()[: edit.start].count(b"\n")
            code = edit.apply(cell.source).split("\n")[line].strip()
            seen[code] += 1
            found.append(Mutant(notebook, cell.id, line + 1, edit, code, seen[code]))
    return found


def read_reasons(path: Path = REASONS) -> dict[Key, str]:
    """Return the reasons why some mutants rightly change nothing.

    Args:
        path: a TOML file with a ``[[mutant]]`` for each: ``notebook``, ``cell``, ``code`` (its line
            after the change), ``reason``, and ``nth`` if the cell has several such lines.

    Raises:
        UsageError: the file has another form, or names a mutant twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path.name} is not TOML: {error}") from None
    rows = content.pop("mutant", [])
    if content or not (isinstance(rows, list) and all(map(_is_well_formed, rows))):
        raise UsageError(
            f"{path.name} must be a list of [[mutant]], each with notebook, cell, code, reason, and"
            " nth if its cell has several such lines"
        )
    reasons: dict[Key, str] = {}
    for row in rows:
        key = (row["notebook"], row["cell"], row["code"], row.get("nth", 1))
        if key in reasons:
            raise UsageError(f"{path.name} has two reasons for {row['code']!r} in {row['cell']!r}")
        reasons[key] = row["reason"]
    return reasons


def _is_well_formed(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    texts = [row.get(name) for name in ENTRIES]
    known = {*ENTRIES, "nth"}.issuperset(row) and isinstance(row.get("nth", 1), int)
    return known and all(isinstance(text, str) and text for text in texts)


def without_mutant(reasons: Mapping[Key, str], mutants: Sequence[Mutant]) -> list[Key]:
    """Return the reasons that belong to no mutant any more."""
    keys = {mutant.key for mutant in mutants}
    return [key for key in reasons if key not in keys]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a mutant.

    ``word`` is "noticed": a card changed, or a cell failed; "unnoticed": neither; "explained":
    neither, and there is a reason; "skipped": neither, but a service is missing that a claim within
    its reach needs.
    """

    mutant: Mutant
    word: str
    detail: str = ""
    by_time_limit: bool = False

    @classmethod
    def of(cls, mutant: Mutant, ran: Comparison, reason: str = "") -> "Outcome":
        """Return what became of a mutant, from the comparison of its run.

        Args:
            mutant: what was changed.
            ran: its run.
            reason: why it rightly changes nothing; "" if there is none.
        """
        # A run ends at a cell that takes too long, and at one that fails and makes no claim.
        ended = [p for p in ran.problems if p.name == TIME_LIMIT or not p.claims]
        if ended:
            detail, late = str(ended[-1]).splitlines()[0], ended[-1].name == TIME_LIMIT
            return cls(mutant, "noticed", detail, by_time_limit=late)
        if ran.problems or ran.changed:
            failed = ran.changed.union(*(problem.claims for problem in ran.problems))
            return cls(mutant, "noticed", f"other cards: {', '.join(sorted(failed))}")
        if reason:
            return cls(mutant, "explained", reason)
        if ran.lacking:
            claims = ", ".join(sorted(ran.lacking))
            return cls(mutant, "skipped", f"{claims}: {next(iter(ran.lacking.values()))}")
        return cls(mutant, "unnoticed", mutant.code)
