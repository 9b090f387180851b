"""For every claim, small changes to its notebook under which exactly that claim must fail.

A check that cannot fail proves nothing. ``make sabotage`` breaks every claim on
purpose, one at a time, and counts how many of these changes the claims notice. The changes to the
notebook of question NN are the list ``SABOTAGES`` in ``tests/slow/sabotage/qNN.py``.
"""

from tests.slow.sabotage.model import Outcome, Sabotage, SabotageError
from tests.slow.sabotage.runner import all_sabotages, judge, notebook_of

__all__ = [
    "Outcome",
    "Sabotage",
    "SabotageError",
    "all_sabotages",
    "judge",
    "notebook_of",
]
