"""A correct solution of each lab is accepted; ``make labs-proof`` judges all solutions."""

import pytest

from labs.judge.findings import Broken
from labs.judge.instructor import proof
from labs.judge.model import Verdict, numbers

pytestmark = pytest.mark.one_by_one


@pytest.mark.parametrize("number", numbers())
def test_a_correct_solution_is_accepted(number: int, shared_broker):
    outcome = proof.judge(
        next(solution for solution in proof.solutions(number) if solution.kind == "correct")
    )
    assert outcome.as_it_should, str(outcome)


def test_a_wrong_reason_is_no_proof():
    solution = next(
        solution for solution in proof.solutions(5) if solution.path.stem == "memory_set"
    )
    verdict = Verdict(5, (Broken("a", "", "memory-set"),), "", 1.0, "4.3.6")
    assert not proof.Outcome(solution, verdict, "").as_it_should
    broken = tuple(Broken(key, "story", why) for key, why in solution.breaks or ())
    right = proof.Outcome(solution, Verdict(5, broken, "", 1.0, "4.3.6"), "")
    assert right.as_it_should
    assert not proof.Outcome(solution, None, "it failed").as_it_should
    crashed = Verdict(5, broken, "it hung", 1.0, "4.3.6")
    assert not proof.Outcome(solution, crashed, "").as_it_should
    assert "1 of 1" in proof.table([right])
