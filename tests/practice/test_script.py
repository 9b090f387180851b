"""Interviews from start to score sheet, by learners who know everything, nothing, or half."""

import random
from collections import Counter

import pytest

from helpers import __main__ as command_line
from practice import choosing, material, proving, rubrics, schedule, script, state
from practice.cards import Card, Choice, Number
from practice.judging import Answer
from practice.prompts import Decide, Mark, Prove, Speak, Spoken, Tell
from practice.proving import Proof
from practice.rubrics import Point
from practice.script import Interview
from practice.sheet import Decided, Made, Sheet


@pytest.fixture
def held(learner, cards):
    """Return a function that holds an interview; how well the learner does is its argument."""

    def hold(knows, *, level="senior", seed="1", minutes=30.0, only=(), live=False, pace_s=20.0):
        clock = [0.0]
        chosen = [card for card in cards if not only or card.question in only]
        one = Interview(
            level, minutes * 60, seed, chosen, state.history(), lambda: learner.now,
            lambda: clock[0], lambda claim: live,
        )  # fmt: skip
        asked, playing, answer = [], one.script(), None
        while True:
            try:
                prompt = playing.send(answer)
            except StopIteration:
                return one, asked
            asked.append(prompt)
            clock[0] += pace_s
            learner.later(seconds=pace_s)
            answer = reply(prompt, knows)

    return hold


def reply(prompt, knows):
    if isinstance(prompt, Speak):
        return Spoken(("a line",), 80 if prompt.sure else None)
    if isinstance(prompt, Mark):
        return {point.id: "y" if knows("says") else "n" for point in prompt.points}
    if isinstance(prompt, Decide):
        right = knows("decides")
        value = prompt.wanted.right if isinstance(prompt.wanted, Choice) else prompt.wanted.value
        return Answer(right, value if right else None, 80 if right else None, 5.0)
    if isinstance(prompt, Prove):
        return Proof(material.claims()[prompt.claim], "", 1.0)
    return None


def everything(_):
    return True


def nothing(_):
    return False


def only_says(what):
    return what == "says"


def of(asked, kind):
    return [prompt for prompt in asked if isinstance(prompt, kind)]


@pytest.mark.parametrize("level", ["junior", "senior", "staff"])
def test_who_knows_everything_is_asked_for_more(held, level):
    one, asked = held(everything, level=level)
    assert len(of(asked, Speak)) == 1 + script.FOLLOW_UPS
    assert all(made.stands for made in one.sheet.made) and one.sheet.gaps() == []
    assert one.sheet.decided and all(each.right for each in one.sheet.decided)
    levels = [speak.text.split("]")[0].strip("[") for speak in of(asked, Speak)[1:]]
    at = choosing.LEVELS.index
    assert at(levels[0]) <= at(level) <= max(map(at, levels))
    mains = [made for made in one.sheet.made if made.ask.endswith(".main")]
    assert {at(made.level) for made in mains} == set(range(at(level) + 1))
    assert "could be proven" in " ".join(one.sheet.words())


def test_who_knows_nothing_is_asked_lower_questions(held):
    one, asked = held(nothing)
    levels = [speak.text.split("]")[0].strip("[") for speak in of(asked, Speak)[1:]]
    assert levels[-1] == "junior"
    assert one.sheet.reached == "" and not any(made.stands for made in one.sheet.made)
    assert len(one.sheet.gaps()) == len(one.sheet.made)
    # Nothing was ticked, so nothing is cross-examined.
    assert not any("Cross-examined" in prompt.text for prompt in of(asked, Decide))


def test_a_failed_probe_takes_the_tick_back(held):
    one, asked = held(only_says)
    assert Tell("Your tick is taken back.") in asked
    back = [made for made in one.sheet.made if made.held is False]
    assert back and one.sheet.gaps() == back
    assert one.sheet.reached == ""
    assert "Taken back: " in " ".join(one.sheet.words())
    kept = [event.facts for event in state.history().of("point")]
    assert Counter(each.get("right") for each in kept)[False] == len(back)


def test_what_was_shown_is_kept_and_comes_back(held):
    one, _ = held(only_says)
    history = state.history()
    assert [event.facts["asked"] for event in history.of("interview")] == [[one.about[0]]]
    reviewed = {event.facts["card"]: event.facts["rating"] for event in history.of("review")}
    assert f"{one.about[0]}.main" in reviewed
    assert all(reviewed[each.what] == schedule.AGAIN for each in one.sheet.decided)


def test_the_same_seed_and_history_ask_the_same(held, monkeypatch, tmp_path):
    texts = []
    for name in ("a", "b", "c"):
        monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path / name))
        _, asked = held(everything, seed="7" if name != "c" else "8")
        texts.append([prompt.text for prompt in of(asked, Speak)])
    assert texts[0] == texts[1] != texts[2]


def test_the_last_follow_up_leads_to_another_question(held):
    one, asked = held(everything)
    speaks = [speak.text.partition("] ")[2] for speak in of(asked, Speak)[1:]]
    elsewhere = {entry.asked for entry in rubrics.read(one.about[1]).follow_ups.values()}
    here = {entry.asked for entry in one.rubric.follow_ups.values()}
    assert set(speaks[:-1]) <= here and speaks[-1] in elsewhere


def test_when_time_is_short_the_proof_still_comes(held):
    one, asked = held(everything, minutes=1.0)
    assert len(of(asked, Speak)) < 1 + script.FOLLOW_UPS
    assert any(tell.text.startswith("Prove it") for tell in of(asked, Tell))
    assert one.sheet.decided


def test_with_a_broker_the_claim_is_measured(held):
    _, asked = held(everything, live=True, only=("q09",))
    (prove,) = of(asked, Prove)
    assert asked[-1] == Tell(f"```text\n{material.claims()[prove.claim].text}\n```")


def test_a_staff_interview_shows_weaker_answers(held):
    texts = []
    for seed in "12345":
        _, asked = held(everything, level="staff", seed=seed)
        texts += [tell.text for tell in of(asked, Tell)]
    assert any(text.startswith("A weaker answer") for text in texts)


def test_a_question_asked_lately_waits(held, learner):
    first, _ = held(everything)
    learner.later(days=1)
    second, _ = held(everything)
    assert first.about[0] != second.about[0]


def test_own_mistakes_choose_the_question(cards, learner):
    belief = Card("q06.belief.x", "belief", "", "?", Number(1.0), "", (), "Lab 6 did.")
    for seed in "12345":
        assert choosing.ranking([*cards, belief], state.history(), learner.now.date(), seed)[0] == (
            "q06"
        )


def test_follow_ups_probe_the_gaps():
    rubric = rubrics.read("q09")
    gap = "crash"
    found = choosing.follow_up(rubric, gaps={gap}, level="staff", asked=(), draw=random.Random("1"))
    assert gap in found.after
    every = list(rubric.follow_ups)
    nobody = choosing.follow_up(
        rubric, gaps={gap}, level="staff", asked=every, draw=random.Random("1")
    )
    assert nobody is None


@pytest.mark.parametrize(
    ("level", "good", "bad", "then"),
    [("junior", 2, False, "senior"), ("staff", 2, False, "staff"), ("senior", 1, False, "senior"),
     ("senior", 0, True, "junior"), ("junior", 0, True, "junior")],
)  # fmt: skip
def test_staircase(level, good, bad, then):
    assert choosing.staircase(level, good=good, bad=bad) == then


def point(number: int) -> Point:
    return Point(f"p{number}", "", f"Says {number}", ("x",), ("q09.1",), "", "")


def made(level: str, *said: str, held: bool | None = None) -> list[Made]:
    return [Made("q09.main", point(n), level, one, held) for n, one in enumerate(said)]


@pytest.mark.parametrize(
    ("points", "reached"),
    [
        (made("junior", *"yyyyyy"), "junior"),
        (made("junior", *"yyyyy"), ""),
        (made("junior", *"yyyynn"), ""),
        (made("junior", *"yyyyyp"), "junior"),
        (made("junior", *"yyyyyy") + made("senior", *"yyyyyn"), "senior"),
        (made("junior", *"yyyyyy") + made("senior", "y", held=False), "junior"),
        (made("junior", "y", held=False) + made("senior", *"yyyyyy"), ""),
    ],
)
def test_a_level_is_reached_by_enough_points_and_no_tick_taken_back(points, reached):
    assert Sheet(points).reached == reached


def test_why_no_level_was_reached_is_said():
    few, taken_back = (
        made("junior", *"yyy"),
        made("senior", *"yyyyyyy") + made("junior", "y", held=False),
    )
    assert Sheet(few).words()[0] == "Too few points to tell."
    assert (
        Sheet(taken_back).words()[0].startswith("Like no level yet: one takes 6 points asked, 70 %")
    )


def test_a_sheet_keeps_said_apart_from_proven():
    sheet = Sheet(
        made("senior", "y", "y", held=True) + made("senior", "y", held=False) + made("staff", "n"),
        [Decided("q09.probe.a", True, 90), Decided("q09.probe.b", False, None)],
        80,
    )
    assert sheet.table().splitlines() == [
        "         asked  said  proven",
        "senior       3     2  2 of 3",
        "staff        1     0  -",
    ]
    words = " ".join(sheet.words([(90, 1, 4), (70, 3, 4)]))
    assert "You were 80 % sure; of what could be proven, 1 of 2 held." in words
    assert "Your last 2 before: sure 80, proven 50, of 100." in words


def test_a_claim_is_proven_on_the_broker_that_runs(shared_broker):
    assert proving.possible("q09.5")
    proof = proving.prove("q09.5")
    assert proof.why_not == "" and proof.claim is not None
    assert proof.claim.verdict == material.claims()["q09.5"].verdict


def test_without_a_broker_nothing_can_be_proven(monkeypatch):
    def none(**_):
        raise proving.RabbitLabError("none runs")

    monkeypatch.setattr(proving.broker, "find", none)
    assert not proving.possible("q09.5")


def test_the_command_ends_with_the_sheet_whatever_was_answered(learner, capsys, monkeypatch):
    monkeypatch.setattr(proving, "possible", lambda claim: False)
    learner.answers = ["limits unacked", "", "70", *["n"] * 9]
    assert command_line.main(["interview", "q09", "--level", "junior", "--seed", "1"]) == 0
    printed = capsys.readouterr().out
    assert "The interview ends here; what you answered is kept." in printed
    assert "── Score sheet: not a grade" in printed and "make check LAB=09" in printed
    assert state.history().of("review")


def test_an_interview_that_never_began_leaves_nothing(learner, capsys):
    learner.answers = ["q"]
    assert command_line.main(["interview", "q09"]) == 0
    assert "Score sheet" not in capsys.readouterr().out
    assert not state.path().exists()
