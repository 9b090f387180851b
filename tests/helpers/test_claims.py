import pytest

from helpers import broker, claims
from helpers.errors import ClaimFailedError, RabbitLabError, UsageError

HELD = claims.equal("own queues", says=40, measured=40)
BROKE = claims.equal("one shared queue", says=40, measured=20)


@pytest.fixture(autouse=True)
def _forget_claims(monkeypatch):
    monkeypatch.setattr(claims, "_checked", {})


def line(capsys, *args, **kwargs):
    claims.check(*args, **kwargs)
    return capsys.readouterr().out


def test_holds_when_every_case_held(capsys):
    assert line(capsys, "q99.1", "a sentence", HELD, HELD, expect="holds") == (
        "q99.1 holds: own queues 40; own queues 40\n"
    )


def test_refuted_when_every_case_broke(capsys):
    assert line(capsys, "q99.1", "a sentence", BROKE, expect="refuted") == (
        "q99.1 refuted: one shared queue 20, not 40\n"
    )


def test_holds_if_when_it_breaks_just_outside_the_condition(capsys):
    out = line(
        capsys, "q99.2", "every subscriber gets a copy", HELD,
        condition="each has its own queue", outside=[BROKE], expect="holds if",
    )  # fmt: skip
    assert out == (
        "q99.2 holds if each has its own queue: own queues 40; one shared queue 20, not 40\n"
    )


@pytest.mark.parametrize(
    ("cases", "options"),
    [
        ([HELD], {"expect": "refuted"}),
        ([BROKE], {"expect": "holds"}),
        ([HELD, BROKE], {"expect": "holds"}),
        ([HELD, BROKE], {"expect": "refuted"}),
        ([HELD], {"expect": "holds if", "condition": "c", "outside": [HELD]}),
        ([BROKE], {"expect": "holds if", "condition": "c", "outside": [BROKE]}),
        ([HELD, BROKE], {"expect": "holds if", "condition": "c", "outside": [BROKE]}),
        ([HELD], {"expect": "holds if", "condition": "c", "outside": [BROKE, HELD]}),
        ([HELD], {"expect": "holds", "also": [BROKE]}),
    ],
)
def test_any_other_outcome_fails_and_prints_no_line(capsys, cases, options):
    with pytest.raises(ClaimFailedError, match=r'^q99\.1 "s": expected'):
        claims.check("q99.1", "s", *cases, **options)
    assert capsys.readouterr().out == ""
    assert claims.table().empty


def test_a_failure_is_an_assertion_with_the_numbers():
    with pytest.raises(AssertionError) as caught:
        claims.check("q99.1", "s", HELD, BROKE, expect="holds")
    assert isinstance(caught.value, RabbitLabError)
    assert str(caught.value).splitlines() == [
        'q99.1 "s": expected "holds", measured "mixed"',
        "  held               own queues: the sentence says 40, measured 40",
        "  broke              one shared queue: the sentence says 40, measured 20",
    ]


def test_a_label_that_ends_with_a_colon_has_one_in_a_failure():
    case = claims.equal("a queue per delay:", says=1, measured=2)
    with pytest.raises(ClaimFailedError, match="a queue per delay: the sentence says 1"):
        claims.check("q99.1", "s", case, expect="holds")


def test_a_broken_sentence_must_break_in_the_known_way():
    case = claims.equal("copies", says=40, measured=21, instead=20)
    with pytest.raises(ClaimFailedError, match="not what was seen before"):
        claims.check("q99.1", "s", case, expect="refuted")
    right = claims.equal("copies", says=40, measured=20, instead=20)
    claims.check("q99.1", "s", right, expect="refuted")


@pytest.mark.parametrize(("measured", "held"), [(20, True), (19.9, None), (5, None), (4.9, False)])
def test_at_least_has_a_margin_without_a_verdict(measured, held):
    assert claims.at_least("ratio", says=20, measured=measured, breaks_below=5).held is held


@pytest.mark.parametrize(("measured", "held"), [(1.5, True), (1.6, None), (3, None), (3.1, False)])
def test_at_most_has_a_margin_without_a_verdict(measured, held):
    assert claims.at_most("ratio", says=1.5, measured=measured, breaks_above=3).held is held


def test_a_measured_ratio_does_not_reach_the_line(capsys):
    case = claims.at_least("prefetch 50 against 1, ratio", says=20, measured=46.313)
    assert "46" not in line(capsys, "q99.1", "s", case, expect="holds")
    with pytest.raises(ClaimFailedError, match=r"measured 46\.31"):
        claims.check("q99.1", "s", case, expect="refuted")


def test_too_close_to_call_fails_whatever_was_expected():
    close = claims.at_least("ratio", says=20, measured=10, breaks_below=5)
    for expect in ("holds", "refuted"):
        with pytest.raises(ClaimFailedError, match="too close to call"):
            claims.check("q99.1", "s", close, expect=expect)


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
    case = claims.by_generation("nack, deliveries", says=4, measured=measured, seen=SEEN)
    assert case.as_seen is as_seen
    assert case.held is False
    assert case.seen == "nack, deliveries 4 on 3.10, 4 on 4.0, 30 on 4.3"


def test_a_failure_on_a_generation_without_a_value_says_so(monkeypatch):
    for now, where in {"4.4": "4.4: not recorded, compared with 4.3", "4.3": "4.3"}.items():
        monkeypatch.setattr(broker, "generation", lambda now=now: now)
        case = claims.by_generation("nack", says=4, measured=7, seen=SEEN)
        assert case.numbers.startswith(f"measured 7 on {where}, where 30 was seen before (4 on ")


def test_by_generation_holds_when_all_generations_agree(monkeypatch):
    monkeypatch.setattr(broker, "generation", lambda: "4.0")
    seen = dict.fromkeys(SEEN, 4)
    assert claims.by_generation("reject", says=4, measured=4, seen=seen).held is True


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="no cases"):
        claims.check("q99.1", "s", expect="holds")
    with pytest.raises(UsageError, match="must be one of"):
        claims.check("q99.1", "s", HELD, expect="maybe")
    with pytest.raises(UsageError, match="belong together"):
        claims.check("q99.1", "s", HELD, expect="holds", condition="c", outside=[BROKE])
    with pytest.raises(UsageError, match="belong together"):
        claims.check("q99.1", "s", HELD, expect="holds if", condition="c")


def test_the_table_holds_each_claim_once_in_order(capsys):
    claims.check("q99.2", "second", BROKE, expect="refuted")
    claims.check("q99.1", "first", HELD, expect="holds")
    claims.check("q99.1", "first", HELD, expect="holds")
    table = claims.table()
    assert table.index.tolist() == ["q99.1", "q99.2"]
    assert table.loc["q99.2"].tolist() == ["second", "refuted", "one shared queue 20, not 40"]
