"""Any cell can run twice, and any experiment again after a later one: the same claim lines."""

import pytest

from helpers.notebooks import claim_lines, find, run
from helpers.notebooks.running import read


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_cell_twice_and_experiments_again(path):
    stored = {claim.id: claim.text for claim in claim_lines(read(path))}
    assert stored, "a notebook without claim lines proves nothing here"
    result = run(path, order="twice", timeout_s=120)
    assert [str(problem) for problem in result.problems] == []
    for claims in result.passes:
        assert {claim.id: claim.text for claim in claims} == stored
    assert len(result.passes) == 3
