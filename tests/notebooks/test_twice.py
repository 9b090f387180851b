"""Cells that run twice, and experiments that run again later, show the same cards.

This takes three times as long as all notebooks. ``make twice`` runs it.
"""

import pytest

from helpers import services
from helpers.suite.notebooks import claim_ids, find, run, stored_claims
from helpers.suite.notebooks.cards import tags
from helpers.suite.notebooks.running import read

pytestmark = [pytest.mark.twice, pytest.mark.one_by_one]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_cell_twice_and_experiments_again(path):
    nb = read(path)
    stored = {claim.id: claim.text for claim in stored_claims(nb)}
    for cell in nb.cells:
        if services.missing(tags(cell)):
            stored = {claim: text for claim, text in stored.items() if claim not in claim_ids(cell)}
    assert stored, "a notebook without cards proves nothing here"
    result = run(path, order="twice")
    assert [str(problem) for problem in result.problems] == []
    for claims in result.passes:
        assert {claim.id: claim.text for claim in claims} == stored
    assert len(result.passes) == 3
