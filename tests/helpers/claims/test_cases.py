"""Cases: a set-up's prediction against its measurement."""

import numpy as np
import pandas as pd
import pytest

from helpers import broker, claims
from helpers.errors import UsageError


def shown(case):
    return case.what, case.says, case.measured


def test_a_case_shows_both_values_with_their_unit():
    case = claims.equal("one queue", says=40, measured=1, unit="copies")
    assert shown(case) == ("one queue", "40 copies", "1 copy")
    assert (case.held, case.value, case.here) == (False, 1, "")
    assert case.numbers == "the sentence says 40, measured 1"
    word = claims.equal("the queue", says="taken", measured="taken")
    assert (word.held, word.measured) == (True, "taken")


@pytest.mark.parametrize(
    ("unit", "one", "many"),
    [
        ("cents", "1 cent", "2 cents"),
        ("deliveries", "1 delivery", "2 deliveries"),
        ("crashes", "1 crash", "2 crashes"),
        ("losses", "1 loss", "2 losses"),
        ("false alarms", "1 false alarm", "2 false alarms"),
        ("jobs done by others", "1 job done by others", "2 jobs done by others"),
        ("of 5 set-ups", "1 of 5 set-ups", "2 of 5 set-ups"),
        ("lost", "1 lost", "2 lost"),
        ("messages per second", "1 message per second", "2 messages per second"),
        ("messages/s", "1 message/s", "2 messages/s"),
        ("s", "1 s", "2 s"),
        ("ms", "1 ms", "2 ms"),
        ("MiB/s", "1 MiB/s", "2 MiB/s"),
        ("", "1", "2"),
    ],
)
def test_a_unit_has_a_singular(unit, one, many):
    case = claims.equal("x", says=1, measured=2, unit=unit)
    assert (case.says, case.measured) == (one, many)
    bound = claims.at_least("x", says=1, measured=2, unit=unit)
    assert (bound.says, bound.here) == (f"at least {one}", many)


@pytest.mark.parametrize("value", [True, None, [1, 2], (1, 2), {1}, {"a": 1}, np.bool_(True)])
def test_what_explains_nothing_to_a_reader_is_refused(value):
    message = "one queue: .* explains nothing to a reader; compare a number or a word"
    for values in ({"says": value, "measured": 1}, {"says": 1, "measured": value}):
        with pytest.raises(UsageError, match=message):
            claims.equal("one queue", **values)
        with pytest.raises(UsageError, match=message):
            claims.by_generation("one queue", seen={"4.3": 1}, on="4.3", **values)
    with pytest.raises(UsageError, match=message):
        claims.by_generation("one queue", says=1, measured=1, seen={"4.3": value}, on="4.3")
    with pytest.raises(UsageError, match=message):
        claims.each("one {}", {"queue": value}, says=1)


def test_numbers_of_numpy_are_numbers():
    case = claims.equal("x", says=np.int64(2), measured=np.int64(2))
    assert (case.held, case.numbers) == (True, "the sentence says 2, measured 2")


def test_each_makes_a_case_of_every_value():
    unacked = pd.Series({1: 1, 10: 10, 50: 40})
    cases = claims.each("prefetch {}", unacked, says={1: 1, 10: 10, 50: 50}, unit="messages")
    assert [shown(case) for case in cases] == [
        ("prefetch 1", "1 message", "1 message"),
        ("prefetch 10", "10 messages", "10 messages"),
        ("prefetch 50", "50 messages", "40 messages"),
    ]
    assert [case.held for case in cases] == [True, True, False]
    same = claims.each("worker {}", {"a": 0, "b": 1}, says=0)
    assert [(case.says, case.measured) for case in same] == [("0", "0"), ("0", "1")]
    known = claims.each("worker {}", {"a": 5, "b": 1}, says=0, instead={"a": 5, "b": 2})
    assert [case.as_seen for case in known] == [True, False]


@pytest.mark.parametrize(("measured", "held"), [(20, True), (19.9, None), (5, None), (4.9, False)])
def test_at_least_has_a_margin_without_a_verdict(measured, held):
    assert claims.at_least("ratio", says=20, measured=measured, breaks_below=5).held is held


@pytest.mark.parametrize(("measured", "held"), [(1.5, True), (1.6, None), (3, None), (3.1, False)])
def test_at_most_has_a_margin_without_a_verdict(measured, held):
    assert claims.at_most("ratio", says=1.5, measured=measured, breaks_above=3).held is held


def test_a_broken_bound_shows_on_which_side_it_is():
    below = claims.at_least("ratio", says=20, measured=4.26, breaks_below=5, unit="times")
    assert (below.says, below.measured, below.here) == (
        "at least 20 times", "below 5 times", "4.3 times",
    )  # fmt: skip
    above = claims.at_most("ratio", says=2, measured=5, unit="times")
    assert (above.says, above.measured, above.here) == (
        "at most 2 times", "above 2 times", "5 times",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "here"), [(0.123, "0.12"), (46.31, "46"), (99.7, "100"), (1234.5, "1234")]
)
def test_a_number_that_varies_is_rounded(measured, here):
    assert claims.at_least("x", says=0, measured=measured).here == here


def test_margins_must_not_cross():
    with pytest.raises(UsageError, match="breaks_below"):
        claims.at_least("x", says=5, measured=1, breaks_below=6)
    with pytest.raises(UsageError, match="breaks_above"):
        claims.at_most("x", says=5, measured=1, breaks_above=4)


SEEN = {"3.10": 4, "4.0": 4, "4.3": 30}


@pytest.mark.parametrize(
    ("now", "measured", "as_seen"),
    [("3.10", 4, True), ("4.0", 30, False), ("4.2", 4, True), ("4.3", 30, True), ("5.0", 4, False)],
)
def test_by_generation_compares_with_the_one_that_runs(monkeypatch, now, measured, as_seen):
    monkeypatch.setattr(broker, "generation", lambda: now)
    case = claims.by_generation(
        "each ended by a nack", says=4, measured=measured, seen=SEEN, unit="deliveries"
    )
    assert (case.as_seen, case.held, case.value) == (as_seen, False, SEEN)
    assert (case.says, case.measured) == ("4 deliveries", "4 on 3.10, 4 on 4.0, 30 on 4.3")


@pytest.mark.parametrize(
    ("says", "outcome"), [(4, "✗ not on all"), (30, "✗ not on all"), (7, "✗ not so")]
)
def test_by_generation_tells_a_part_of_the_generations_from_none(monkeypatch, says, outcome):
    monkeypatch.setattr(broker, "generation", lambda: "4.3")
    assert claims.by_generation("nack", says=says, measured=30, seen=SEEN).outcome == outcome


def test_a_failure_on_a_generation_without_a_value_says_so(monkeypatch):
    for now, where in {"4.4": "4.4: not recorded, compared with 4.3", "4.3": "4.3"}.items():
        monkeypatch.setattr(broker, "generation", lambda now=now: now)
        case = claims.by_generation("nack", says=4, measured=7, seen=SEEN)
        assert case.numbers.startswith(f"measured 7 on {where}, where 30 was seen before (4 on ")


def test_by_generation_holds_when_all_generations_agree(monkeypatch):
    monkeypatch.setattr(broker, "generation", lambda: "4.0")
    seen = dict.fromkeys(SEEN, 4)
    case = claims.by_generation("reject", says=4, measured=4, seen=seen)
    assert (case.held, case.outcome) == (True, "✓ as said")
