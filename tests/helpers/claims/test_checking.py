"""Verdicts: computed from the cases, shown as cards, kept for the last table."""

import pytest

from helpers import claims
from helpers.claims import checking
from helpers.errors import ClaimFailedError, RabbitLabError, UsageError

HELD = claims.equal("own queues", says=40, measured=40, unit="copies")
BROKE = claims.equal("one shared queue", says=40, measured=20, unit="copies")
TOLD = "Own queues got all 40."


@pytest.fixture(autouse=True)
def _forget_claims(monkeypatch):
    monkeypatch.setattr(checking, "_checked", {})


def check(*cases, claim="q99.1", sentence="s", evidence=TOLD, **options):
    claims.check(claim, sentence, *cases, evidence=evidence, **options)


def card(capsys, *cases, **options):
    """Return the lines that a check shows where there is no notebook."""
    check(*cases, **options)
    return capsys.readouterr().out.splitlines()


def test_holds_when_every_case_held(capsys):
    assert card(capsys, HELD, HELD, sentence="a sentence", expect="holds") == [
        "q99.1 holds",
        "“a sentence”",
        "  set-up     | the sentence says | measured  |",
        "  own queues | 40 copies         | 40 copies | ✓ as said",
        "  own queues | 40 copies         | 40 copies | ✓ as said",
        TOLD,
    ]


def test_refuted_when_every_case_broke(capsys):
    shown = card(capsys, BROKE, expect="refuted", evidence="One shared queue got {0}.")
    assert shown[0] == "q99.1 refuted"
    assert shown[3] == "  one shared queue | 40 copies         | 20 copies | ✗ not so"
    assert shown[-1] == "One shared queue got 20."


def test_holds_if_when_it_breaks_just_outside_the_condition(capsys):
    remedy = claims.equal("an exchange in front", says=0, measured=0, unit="lost")
    shown = card(
        capsys, HELD, condition="each has its own queue", outside=[BROKE], also=[remedy],
        expect="holds if", evidence="{0} copies, {1} of one queue, {2} lost.",
    )  # fmt: skip
    assert shown == [
        "q99.1 holds if each has its own queue",
        "“s”",
        "  set-up               | the sentence says | measured  |",
        "  own queues           | 40 copies         | 40 copies | ✓ as said",
        "  one shared queue     | 40 copies         | 20 copies | ✗ not so",
        "  an exchange in front |                   | 0 lost    | · checked",
        "40 copies, 20 of one queue, 0 lost.",
    ]


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
def test_any_other_outcome_fails_and_shows_no_card(capsys, cases, options):
    with pytest.raises(ClaimFailedError, match=r'^q99\.1 "s": expected'):
        check(*cases, **options)
    assert capsys.readouterr().out == ""
    assert claims.table().empty


def test_a_failure_is_an_assertion_with_the_numbers():
    with pytest.raises(AssertionError) as caught:
        check(HELD, BROKE, expect="holds")
    assert isinstance(caught.value, RabbitLabError)
    assert str(caught.value).splitlines() == [
        'q99.1 "s": expected "holds", measured "mixed"',
        "  held               own queues: the sentence says 40, measured 40",
        "  broke              one shared queue: the sentence says 40, measured 20",
    ]


def test_a_broken_sentence_must_break_in_the_known_way():
    with pytest.raises(ClaimFailedError, match="not what was seen before"):
        check(claims.equal("copies", says=40, measured=21, instead=20), expect="refuted")
    check(claims.equal("copies", says=40, measured=20, instead=20), expect="refuted")


def test_a_measured_ratio_has_a_column_of_its_own(capsys):
    case = claims.at_least("prefetch 50 against 1", says=20, measured=46.313, unit="times")
    shown = card(capsys, case, HELD, expect="holds", evidence="Faster: {0} times.")
    assert shown[2:] == [
        "  set-up                | the sentence says | measured          |  ⟨measured here⟩",
        "  prefetch 50 against 1 | at least 20 times | at least 20 times | ✓ as said  ⟨46 times⟩",
        "  own queues            | 40 copies         | 40 copies         | ✓ as said",
        "Faster: at least 20 times.",
    ]
    with pytest.raises(ClaimFailedError, match=r"measured 46\.31"):
        check(case, expect="refuted")


def test_too_close_to_call_fails_whatever_was_expected():
    close = claims.at_least("ratio", says=20, measured=10, breaks_below=5)
    for expect in ("holds", "refuted"):
        with pytest.raises(ClaimFailedError, match="too close to call"):
            check(close, expect=expect)


def test_the_evidence_takes_the_value_of_a_generation(capsys):
    case = claims.by_generation(
        "no limit set", says="over 100", measured=21, seen={"3.10": "over 100", "4.3": 21}, on="4.3"
    )
    told = "{0[3.10]} deliveries on 3.10, {0[4.3]} on 4.3."
    shown = card(capsys, case, expect="refuted", evidence=told)
    assert shown[-1] == "over 100 deliveries on 3.10, 21 on 4.3."


@pytest.mark.parametrize(
    "evidence", ["{1} copies", "{0[4.3]} copies", "{copies} copies", "{0.count} copies", "{0"]
)
def test_an_evidence_that_names_no_value_is_refused(evidence, capsys):
    with pytest.raises(UsageError, match=r"q99\.1: the evidence .* cannot be filled in"):
        check(HELD, expect="holds", evidence=evidence)
    assert capsys.readouterr().out == ""
    assert claims.table().empty


def test_the_evidence_is_one_whole_sentence_that_fits():
    longest = "{0} " + "x" * (checking.LONGEST_EVIDENCE - 3)
    check(HELD, expect="holds", evidence=longest)
    with pytest.raises(UsageError, match="the evidence has 111 characters, at most 110 fit"):
        check(HELD, expect="holds", evidence=longest + "x")
    for text in ("", " 40 copies.", "40 copies. ", "40 copies;\nand more.", "40 copies, and …"):
        with pytest.raises(UsageError, match="must be one whole sentence"):
            check(HELD, expect="holds", evidence=text)


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(UsageError, match="no cases"):
        check(expect="holds")
    with pytest.raises(UsageError, match="must be one of"):
        check(HELD, expect="maybe")
    with pytest.raises(UsageError, match="belong together"):
        check(HELD, expect="holds", condition="c", outside=[BROKE])
    with pytest.raises(UsageError, match="belong together"):
        check(HELD, expect="holds if", condition="c")


def test_what_is_only_stored_is_shown_as_not_checked(capsys):
    shown = card(capsys, HELD, expect="holds", stored="2026-01-31 with PostgreSQL 15.1")
    assert shown[:2] == ["not checked now; 2026-01-31 with PostgreSQL 15.1:", "q99.1 holds"]
    assert claims.table()["verdict"].tolist() == ["holds (not checked now)"]


def test_the_table_holds_each_claim_once_in_order():
    check(BROKE, claim="q99.2", sentence="second", expect="refuted", evidence="It got {0}.")
    for _ in range(2):
        check(HELD, sentence="first", expect="holds")
    table = claims.table()
    assert table.index.tolist() == ["q99.1", "q99.2"]
    assert table.loc["q99.2"].tolist() == ["second", "refuted", "It got 20."]
