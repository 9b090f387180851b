"""Tests of the small behaviours of each generation and of their record."""

import json
from pathlib import Path

import pytest

from helpers.errors import UsageError
from helpers.suite.notebooks import changes
from labs.judge.instructor.proof import Outcome, Solution
from labs.judge.model import Verdict
from tests.slow.offline import generation
from tests.slow.versions import seen
from tests.slow.versions.probes import PROBES
from tests.support.tiny_notebooks import checkout

__all__ = ["checkout"]


SLOW = {"consumer-timeout": pytest.mark.slow}  # starts a node, and waits
NAMES = [pytest.param(name, marks=SLOW.get(name, ())) for name in PROBES]


@pytest.mark.parametrize("name", NAMES)
def test_this_broker_behaves_as_recorded_for_its_generation(name, shared_broker):
    recorded = changes.load_seen().get(shared_broker.generation)
    if recorded is None:
        pytest.skip(f"nothing is recorded for {shared_broker.generation}: make test-versions")
    assert PROBES[name]() == recorded["seen"][name]


def test_every_small_behaviour_is_recorded_for_every_generation():
    recorded = changes.load_seen()
    assert list(recorded) == list(generation.GENERATIONS)
    for one in recorded.values():
        assert set(one["seen"]) == set(PROBES)
        assert not [words for words in one["seen"].values() if "?" in words]
    for name in PROBES:
        assert len({one["seen"][name] for one in recorded.values()}) > 1, name


def test_observations_are_recorded_and_differences_returned(shared_broker, checkout):
    (checkout / "docs").mkdir()
    assert seen.look(shared_broker, root=checkout, probes={"x": lambda: "one"}) == []
    before = (checkout / changes.SEEN).read_bytes()
    now = shared_broker.generation
    assert json.loads(before)[now]["seen"] == {"x": "one"}
    told = seen.look(shared_broker, root=checkout, probes={"x": lambda: "two", "y": lambda: "a"})
    assert told == [f"x on {now}: recorded 'one', now 'two'"]
    assert (checkout / changes.SEEN).read_bytes() == before
    assert seen.look(shared_broker, root=checkout, probes={"y": lambda: "a"}) == []


def test_accepted_solutions_are_recorded_for_each_lab(shared_broker, checkout):
    (checkout / "docs").mkdir()
    (checkout / "labs" / "lab03_x").mkdir(parents=True)
    seen.look(shared_broker, root=checkout, probes={})
    now = shared_broker.generation
    right = Verdict(3, (), "", 1.0, "r")
    solution = Solution(3, Path("a.py"), frozenset())
    outcomes = [Outcome(solution, right, ""), Outcome(solution, None, "no verdict")]
    seen.keep_solutions(shared_broker, outcomes, root=checkout)
    seen.keep_solutions(shared_broker, [Outcome(Solution(10, Path("b.py"), frozenset()),
                                                right, "")], root=checkout)  # fmt: skip
    seen.look(shared_broker, root=checkout, probes={})
    kept = changes.load_seen(checkout)[now]["solutions"]
    assert {lab: (one["accepted"], one["of"]) for lab, one in kept.items()} == {
        "3": (1, 2), "10": (1, 1),
    }  # fmt: skip
    (checkout / changes.WORDS).write_text("")
    assert "| [lab 3](../labs/lab03_x/) |" in changes.page(checkout)
    assert "1 of 2" in changes.page(checkout)


@pytest.mark.parametrize("text", ["{", "[]", '{"4.0": {}}', '{"4.0": {"seen": 3}}'])
def test_a_broken_record_is_refused_in_one_sentence(checkout, text):
    (checkout / "docs").mkdir()
    (checkout / changes.SEEN).write_text(text)
    with pytest.raises(UsageError, match=r"docs/rabbitmq-4\.json is no record of behaviours"):
        changes.load_seen(checkout)
