"""Run notebooks, store them in one normal form, and read their claims.

``run`` executes a notebook in a kernel of this Python; ``normalise`` brings it into the form in
which it is kept; ``refresh`` does both for the committed ones and rewrites the table of questions
in the README. Tests use the same functions, so that what is stored is what is compared.
"""

from helpers.notebooks.claimlines import CHECK_TAG, CLAIM_LINE, Claim, claim_ids, claim_lines
from helpers.notebooks.normal import normalise, sanitise
from helpers.notebooks.readme import QUESTIONS, readme_table, title, write_readme_table
from helpers.notebooks.refreshing import find, main, refresh
from helpers.notebooks.running import EXPERIMENT_TAG, Problem, Run, run

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
    "main",
    "normalise",
    "readme_table",
    "refresh",
    "run",
    "sanitise",
    "title",
    "write_readme_table",
]
