"""The cards: made from what the project knows and what a learner showed, with ids that stay."""

import subprocess
import sys
import tomllib
from collections import Counter

import pytest

from helpers import predict
from helpers.machine.paths import ROOT
from labs.judge import misconceptions, progress
from labs.judge.findings import Broken
from labs.judge.model import Verdict, load, numbers
from practice import broken, deck, gaps, material
from practice.cards import KINDS, Choice, Number, Points
from practice.pointing import points_to


def test_every_question_has_cards_of_every_kind(cards):
    kinds = Counter(card.kind for card in cards)
    assert len({card.question for card in cards}) == 10
    assert kinds["follow-up"] >= 99 and kinds["verdict"] >= 108 and kinds["broken code"] >= 150
    assert set(kinds) == set(KINDS) - {"guess", "belief"}  # a learner's own


def test_ids_are_different(cards):
    assert [name for name, times in Counter(card.id for card in cards).items() if times > 1] == []


def test_what_is_right_can_be_chosen_and_nothing_is_there_twice(cards):
    choices = [card.wanted for card in cards if isinstance(card.wanted, Choice)]
    assert all(one.right in one.options for one in choices)
    assert all(len(set(one.options)) == len(one.options) >= 3 for one in choices)


def test_cards_name_claims_that_exist(cards):
    assert {claim for card in cards for claim in card.claims} <= material.claims().keys()


def test_two_processes_make_the_same_cards():
    """The order of a set differs by process; a card's words must not."""
    code = (
        "from practice import material\n"
        "print([(c.id, c.front, c.wanted) for c in material.of_question('q03')])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, text=True,
            capture_output=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(runs) == 1


def test_broken_code_is_broken_by_its_claims_sabotage(cards):
    card = next(one for one in cards if one.id == "q09.1.code.limit-worker")
    consume, qos = card.front.index("channel.basic_consume"), card.front.index("channel.basic_qos")
    assert consume < qos
    assert card.wanted.right == material.sentence("q09.1")
    assert "+    channel.basic_qos" in card.back


def test_without_the_tests_there_is_no_broken_code(monkeypatch, tmp_path):
    monkeypatch.setattr(broken, "FOLDER", tmp_path)
    assert list(broken.cards("q09")) == []


def test_a_missed_prediction_becomes_a_card(learner):
    predict.commit("q09.3", "How many does the slow one get?", 15, unit="messages")
    predict.compare("q09.3", 60)
    predict.commit("q09.2", "How many times faster?", 2.0)
    predict.compare("q09.2", 2.0)
    card, *others = gaps.guesses()
    assert others == []
    assert (card.id, card.claims) == ("q09.3.guess", ("q09.3",))
    assert card.wanted == Number(60.0, "messages", gaps.NEAR)
    assert "you said 15; measured were 60 messages." in card.back
    predict.compare("q09.3", 15)  # measured again, and right this time
    assert list(gaps.guesses()) == []


def test_a_prediction_in_words_becomes_a_choice(learner):
    predict.commit("q01.7", "Who gets it?", "all")
    predict.compare("q01.7", "one")
    assert next(gaps.guesses()).wanted == Choice(("one", "all"), "one")


def test_a_belief_that_a_lab_showed_becomes_a_card(learner):
    progress.keep(Verdict(5, (Broken("a", "", "memory-set"),), "", 3.0, "4.3.6"))
    progress.keep(Verdict(5, (Broken("a", "", "raised"),), "", 3.0, "4.3.6"))
    card, *others = gaps.beliefs()
    assert others == [] and card.id == "q05.belief.memory-set"
    assert card.wanted.right == "what a process remembers survives the process"
    assert not any(text.startswith(gaps.NO_BELIEF) for text in card.wanted.options)
    assert card.claims == gaps.refuted_by(5, "memory-set")
    assert card.gap.startswith("Lab 5 showed it on 20")
    assert deck.every_card(["q05"])[0] == card
    assert card not in deck.every_card(["q06"])


def test_each_belief_of_each_lab_says_which_claims_refute_it():
    table = tomllib.loads((ROOT / gaps.BELIEFS).read_text(encoding="utf-8"))
    wanted = {"shared": misconceptions.SHARED}
    wanted |= {f"lab{number:02d}": load(number).beliefs for number in numbers()}
    assert table.keys() == wanted.keys()
    for name, beliefs in wanted.items():
        real = [key for key, says in beliefs.items() if not says.startswith(gaps.NO_BELIEF)]
        assert list(table[name]) == real
    named = [claim for each in table.values() for claims in each.values() for claim in claims]
    assert set(named) <= material.claims().keys()
    assert gaps.refuted_by(5, "check-then-insert") and gaps.refuted_by(5, "no-such") == ()


def test_old_lines_of_labs_and_unknown_beliefs_are_passed_over(learner):
    file = progress.file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        '{"date": "2026-11-01", "lab": 5, "broken": ["a"], "unusable": ""}\n'
        '{"date": "2026-11-01", "lab": 5, "beliefs": {"a": "gone"}}\n'
        '{"date": "2026-11-01", "lab": 99, "beliefs": {"a": "memory-set"}}\n'
    )
    assert list(gaps.beliefs()) == []


def test_follow_ups_have_their_points_and_their_answer(cards):
    follow_ups = [card for card in cards if card.kind == "follow-up"]
    assert all(isinstance(card.wanted, Points) and card.wanted.answer for card in follow_ups)
    assert [card.id for card in follow_ups if not (card.level and card.back)] == []


@pytest.mark.parametrize(
    ("text", "patterns", "found"),
    [
        ("limits Unacked per consumer", ["unack*"], True),
        ("rtt + service time", ["round trip", "rtt"], True),
        ("the round-trip", ["round trip"], False),
        ("a round trip more", ["round trip"], True),
        ("trip, then round", ["round trip"], False),
        ("redelivred after a crash", ["redelivered"], True),
        ("ack", ["nack"], False),
        ("", ["unack*"], False),
        ("basic_qos before it", ["basic_qos"], True),
        ("confirms don\u2019t say so", ["confirm* don't"], True),
    ],
)
def test_pointing(text, patterns, found):
    assert points_to(text, patterns) == found
