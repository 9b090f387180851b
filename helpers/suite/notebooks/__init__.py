"""Run notebooks, store them in one normal form, and read their claims.

``run`` executes a notebook in a kernel of this Python; ``normalise`` brings it into its stored
form; ``refresh`` does both for the committed notebooks; ``judge`` records the cards of a run.
Both rewrite the README's table of questions and the tables in ``docs/``. Tests use the same
functions.
"""

from helpers.suite.notebooks.cards import (
    CHECK_TAG,
    SURPRISE_TAG,
    Claim,
    claim_ids,
    stored_claims,
)
from helpers.suite.notebooks.normal import normalise, sanitise
from helpers.suite.notebooks.page import page, write_tables
from helpers.suite.notebooks.readme import readme_table, title, write_readme_table
from helpers.suite.notebooks.refreshing import find, refresh
from helpers.suite.notebooks.running import EXPERIMENT_TAG, Problem, Run, run
from helpers.suite.notebooks.verdicts import judge

__all__ = [
    "CHECK_TAG",
    "EXPERIMENT_TAG",
    "SURPRISE_TAG",
    "Claim",
    "Problem",
    "Run",
    "claim_ids",
    "find",
    "judge",
    "normalise",
    "page",
    "readme_table",
    "refresh",
    "run",
    "sanitise",
    "stored_claims",
    "title",
    "write_readme_table",
    "write_tables",
]
