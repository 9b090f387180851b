"""Run notebooks, store them in one normal form, and read their claims.

``run`` executes a notebook in a kernel of this Python; ``normalise`` brings it into the form in
which it is kept; ``refresh`` does both for the committed ones; ``judge`` records the claim lines
that a run gave. Both rewrite the tables of verdicts in the README and in ``docs/verdicts.md``.
Tests use the same functions, so that what is stored is what is compared.
"""

from helpers.suite.notebooks.claimlines import CHECK_TAG, CLAIM_LINE, Claim, claim_ids, claim_lines
from helpers.suite.notebooks.normal import normalise, sanitise
from helpers.suite.notebooks.page import page, write_tables
from helpers.suite.notebooks.readme import QUESTIONS, readme_table, title, write_readme_table
from helpers.suite.notebooks.refreshing import find, refresh
from helpers.suite.notebooks.running import EXPERIMENT_TAG, Problem, Run, run
from helpers.suite.notebooks.verdicts import judge

__all__ = [
    "CHECK_TAG",
    "CLAIM_LINE",
    "EXPERIMENT_TAG",
    "QUESTIONS",
    "Claim",
    "Problem",
    "Run",
    "claim_ids",
    "claim_lines",
    "find",
    "judge",
    "normalise",
    "page",
    "readme_table",
    "refresh",
    "run",
    "sanitise",
    "title",
    "write_readme_table",
    "write_tables",
]
