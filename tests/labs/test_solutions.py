"""A correct solution of two labs is accepted; ``make labs-proof`` judges all solutions."""

from pathlib import Path

import pytest

from labs.judge.findings import Broken, NotSeen
from labs.judge.instructor import proof
from labs.judge.instructor.proof import Outcome, Solution
from labs.judge.model import Verdict, load

pytestmark = pytest.mark.one_by_one


@pytest.mark.parametrize(
    "number", [2, 5]
)  # one that reads the broker, one that sweeps over crashes
def test_a_correct_solution_is_accepted(number: int, shared_broker):
    correct = [solution for solution in proof.solutions(number) if solution.kind == "correct"]
    # The shortest is one of the quickest: it neither waits nor reconnects.
    outcome = proof.judge(min(correct, key=lambda solution: solution.path.stat().st_size))
    assert outcome.as_it_should, str(outcome)


def test_a_wrong_reason_is_no_proof():
    solution = next(
        solution for solution in proof.solutions(5) if solution.path.stem == "memory_set"
    )
    verdict = Verdict(5, (Broken("a", "", "no-dedup"),), "", 1.0, "4.3.6")
    assert not proof.Outcome(solution, verdict, "").as_it_should
    broken = tuple(Broken(key, "story", why) for key, why in solution.breaks or ())
    unseen = tuple(NotSeen(key, "story") for key in solution.unseen)
    right = proof.Outcome(solution, Verdict(5, broken, "", 1.0, "4.3.6", unseen), "")
    assert right.as_it_should
    assert not proof.Outcome(solution, None, "it failed").as_it_should
    crashed = Verdict(5, broken, "it hung", 1.0, "4.3.6", unseen)
    assert not proof.Outcome(solution, crashed, "").as_it_should
    assert "1 of 1" in proof.table([right])


def outcome(broken: str, unseen: str, *, reason: str = "memory-set", unusable: str = "") -> Outcome:
    """Return the outcome for a wrong solution that breaks a and leaves b and c unseen."""
    solution = Solution(5, Path("x.py"), frozenset({("a", "memory-set")}), frozenset("bc"))
    findings = tuple(Broken(key, "story", reason) for key in broken)
    untried = tuple(NotSeen(key, "it ended") for key in unseen)
    return Outcome(solution, Verdict(5, findings, unusable, 1.0, "4.3.6", untried), "")


@pytest.mark.parametrize(
    ("one", "cells"),
    [
        (outcome("a", "bc"), "1 of 1 | 1 of 1 | 1 of 1"),
        (outcome("a", "bc", reason="auto-ack"), "1 of 1 | 0 of 1 | 1 of 1"),
        (outcome("a", "b"), "1 of 1 | 1 of 1 | 0 of 1"),
        (outcome("ab", "c"), "1 of 1 | 0 of 1 | 0 of 1"),
        (outcome("", "abc"), "0 of 1 | 0 of 1 | 0 of 1"),
        (outcome("a", "bc", unusable="it hung"), "1 of 1 | 0 of 1 | 0 of 1"),
    ],
)
def test_the_table_tells_reasons_from_what_was_not_seen(one: Outcome, cells: str):
    head, _, row = proof.table([one]).splitlines()
    assert "| wrong rejected | for their own reason | not seen as declared |" in head
    assert f"| {cells} | 0 of 0 |" in row
    assert one.as_it_should == (cells == "1 of 1 | 1 of 1 | 1 of 1")
    if not one.verdict or not one.verdict.unusable:
        assert str(one).partition("\n")[0].endswith("should be a (memory-set), not seen: b, c")


def test_of_the_starter_nothing_may_be_judged():
    starter = Solution(5, Path("starter.py"), None)
    every = tuple(NotSeen(key, "untouched") for key in load(5).requirements)
    for unseen, right in ((every, True), (every[1:], False)):
        one = Outcome(starter, Verdict(5, (), "", 1.0, "4.3.6", unseen), "")
        assert one.as_it_should == right
        assert f"| {int(right)} of 1 | 1 s |" in proof.table([one])


@pytest.mark.parametrize(
    ("docstring", "breaks", "unseen"),
    [
        ("Breaks: a (memory-set).", {"a"}, ""),
        ("Breaks: a (memory-set), e (auto-ack)\n\nNot seen: b, c\n", {"a", "e"}, "bc"),
        ("Breaks: a (memory-set)\nNot seen: b,\n    c, since a worker is a dead one.", {"a"}, "bc"),
        ("Breaks: a (memory-set). Not seen: d.", {"a"}, "d"),
    ],
)
def test_a_docstring_says_what_breaks_and_what_is_then_not_seen(
    docstring: str, breaks: set[str], unseen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "x.py").write_text(f'"""A mistake.\n\n{docstring}\n"""\n\nx = 1\n')
    monkeypatch.setattr(proof, "folder_of", lambda _: tmp_path)
    _, solution = proof.solutions(5)
    assert {requirement for requirement, _ in solution.breaks or ()} == breaks
    assert solution.unseen == set(unseen)
