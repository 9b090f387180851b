"""A sample of each lab's proof: one correct solution, two wrong ones, the starter.

All of them, and each several times: ``make labs-proof``.
"""

import pytest

from labs.judge.instructor import proof
from labs.judge.model import Broken, Verdict, numbers

pytestmark = pytest.mark.one_by_one

SAMPLE = [
    pytest.param(solution, id=f"lab{number:02d}-{solution.kind}-{solution.path.stem}")
    for number in numbers()
    for solution in proof.sampled(proof.solutions(number))
]


@pytest.mark.parametrize("solution", SAMPLE)
def test_verdict_is_the_known_one(solution: proof.Solution, shared_broker):
    outcome = proof.judge(solution)
    assert outcome.as_it_should, str(outcome)


def test_a_wrong_reason_is_no_proof():
    solution = next(one for one in proof.solutions(5) if one.path.stem == "memory_set")
    verdict = Verdict(5, (Broken("a", "", "memory-set"),), "", 1.0, "4.3.6")
    assert not proof.Outcome(solution, verdict, "").as_it_should
    broken = tuple(Broken(key, "story", why) for key, why in solution.breaks or ())
    right = proof.Outcome(solution, Verdict(5, broken, "", 1.0, "4.3.6"), "")
    assert right.as_it_should
    assert not proof.Outcome(solution, None, "it failed").as_it_should
    crashed = Verdict(5, broken, "it hung", 1.0, "4.3.6")
    assert not proof.Outcome(solution, crashed, "").as_it_should
    assert "1 of 1" in proof.table([right])
