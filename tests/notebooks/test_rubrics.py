"""Rubrics agree with the drills, the claims and each other, and their ids stay for ever."""

import re
from functools import cache

import pytest

from helpers.machine.paths import ROOT
from helpers.suite import drill
from helpers.suite.notebooks import find
from practice import material, rubrics
from practice.pointing import points_to

PATHS = {path.name[:3]: path for path in find([])}
IDS = ROOT / rubrics.FOLDER / "ids.txt"
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")

each = pytest.mark.parametrize("question", PATHS)


@cache
def rubric_of(question):
    return rubrics.read(question)


@cache
def drill_of(question):
    return drill.read(PATHS[question])


@each
def test_each_follow_up_has_one_entry(question):
    asked = [entry.asked for entry in rubric_of(question).follow_ups.values()]
    assert sorted(asked) == sorted(card.question for card in drill_of(question).follow_ups)


@each
def test_each_wrong_answer_has_one_entry(question):
    said = list(rubric_of(question).wrong.values())
    assert sorted(said) == sorted(wrong.says for wrong in drill_of(question).wrong_answers)


@each
def test_main_points_are_of_every_level(question):
    levels = [point.level for point in rubric_of(question).main.points]
    assert 6 <= len(levels) <= 9
    assert levels.count("junior") >= 2 and levels.count("senior") >= 2 and "staff" in levels
    assert levels == sorted(levels, key=drill.LEVELS.index)


@each
def test_follow_ups_have_three_points_and_a_gap_to_probe(question):
    rubric = rubric_of(question)
    for entry in rubric.follow_ups.values():
        assert len(entry.points) == 3, entry.id
    probed = {name for entry in rubric.follow_ups.values() for name in entry.after}
    assert probed == {point.id for point in rubric.main.points}


@each
def test_a_design_question_has_a_weaker_answer_to_compare(question):
    levels = {card.question: card.level for card in drill_of(question).follow_ups}
    rubric = rubric_of(question)
    weaker = {one.id: levels[one.asked] for one in rubric.follow_ups.values() if one.weaker}
    assert "staff" in weaker.values()


@each
def test_claims_exist_and_each_one_is_asked_for(question):
    rubric, known = rubric_of(question), material.claims()
    used = {claim for point in rubric.points() for claim in point.claims}
    used |= {claim for probe in rubric.probes.values() for claim in probe.claims}
    assert used <= known.keys()
    assert {claim for claim in known if claim.startswith(question)} <= used


@each
def test_a_pattern_finds_its_point_in_the_model_answer(question):
    rubric, model = rubric_of(question), drill_of(question)
    answers = {card.question: card.answer for card in model.follow_ups}
    texts = {"": model.two_minute_answer, **answers}
    lost = [
        f"{entry.id}.{point.id}"
        for entry in (rubric.main, *rubric.follow_ups.values())
        for point in entry.points
        if not points_to(f"{texts[entry.asked]} {point.says}", point.like)
    ]
    assert lost == []


@each
def test_six_probes_at_least_and_a_measured_answer_is_the_measured_one(question):
    probes = rubric_of(question).probes.values()
    assert len(probes) >= 6
    measured = [probe for probe in probes if probe.case]
    assert len(measured) >= 2
    for probe in measured:
        values = [
            value for claim in probe.claims for row, value in material.claims()[claim].measured
            if row == probe.case
        ]  # fmt: skip
        assert len(values) == 1, f"{probe.id}: no such case, or several"
        if probe.choices:
            assert values[0] == probe.answer
        else:
            numbers = [float(one.replace(",", "")) for one in NUMBER.findall(values[0])]
            assert numbers[:1] == [probe.answer], probe.id


def test_ids_stay_for_ever():
    """A learner's history names them: an id that goes is marked "gone", never used again."""
    lines = IDS.read_text(encoding="utf-8").splitlines()
    gone = {line.removeprefix("gone ") for line in lines if line.startswith("gone ")}
    kept = [line for line in lines if not line.startswith("gone ")]
    assert kept == [one for question in PATHS for one in rubric_of(question).ids()]
    assert not gone & set(kept)
