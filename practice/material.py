"""Make cards from what the project knows: rubrics, drills, claims and generations."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement

from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite import drill
from helpers.suite.notebooks import find, records
from helpers.suite.notebooks.cards import Claim, claims_of
from helpers.suite.notebooks.changes import WORDS
from helpers.suite.notebooks.changes import changes as changing_cases
from practice import rubrics
from practice.cards import Card, Choice, Number, Points, Wanted, choice
from practice.rubrics import Point, Probe, Rubric

SENTENCE = re.compile(r"“(.+)”")
HOLDS, REFUTED = "holds", "refuted"


def questions() -> list[str]:
    """Return the questions that have a notebook and a rubric, such as "q09"."""
    files = (path.name[:3] for path in find([]))
    return [name for name in files if (ROOT / rubrics.FOLDER / f"{name}.toml").exists()]


def of_question(question: str) -> Iterator[Card]:
    """Yield the cards of one question, for anybody; what a learner showed adds others.

    Args:
        question: such as "q09".

    Raises:
        UsageError: its rubric or its drill has another form.
    """
    rubric = rubrics.read(question)
    yield main_question(rubric)
    yield from follow_ups(rubric)
    yield from probes(rubric)
    yield from wrong_answers(rubric)
    yield from verdicts(question)
    yield from changes(question)


@cache
def claims() -> Mapping[str, Claim]:
    """Return the card of each claim as it was measured on the newest generation."""
    runs = records.load()[GENERATIONS[-1]].values()
    return {claim.id: claim for record in runs for claim in claims_of(record.claims)}


@cache
def drill_of(question: str) -> drill.Drill:
    """Return the drill of a question's notebook."""
    return drill.read(find([question])[0])


def sentence(claim: str) -> str:
    """Return the sentence that a claim puts on trial."""
    match = SENTENCE.search(claims()[claim].text)
    assert match is not None  # every card has one
    return match[1]


def proof(names: Iterable[str], *sources: str) -> str:
    """Return what proves something, in Markdown: a line for each claim, then the pages."""
    lines = [f"{name}: {claims()[name].evidence}" for name in dict.fromkeys(names)]
    return "\n\n".join([*lines, *filter(None, dict.fromkeys(sources))])


def proof_of(points: Sequence[Point]) -> str:
    """Return what proves some points, each claim and each page once."""
    names = (name for point in points for name in point.claims)
    return proof(names, *(point.source for point in points))


def wanted(probe: Probe) -> Wanted:
    """Return what a probe wants."""
    if probe.choices:
        return choice(str(probe.answer), probe.choices, seed=probe.id, most=len(probe.choices))
    return Number(float(probe.answer), probe.unit)


def main_question(rubric: Rubric) -> Card:
    """Return the card of the question itself: two minutes."""
    model, points = drill_of(rubric.question), rubric.main.points
    return Card(
        f"{rubric.question}.{rubrics.MAIN}", "two minutes", "", model.title,
        Points(points, model.two_minute_answer), proof_of(points),
    )  # fmt: skip


def follow_ups(rubric: Rubric) -> Iterator[Card]:
    """Yield a card for each follow-up: its points are marked."""
    by_text = {card.question: card for card in drill_of(rubric.question).follow_ups}
    for name, entry in rubric.follow_ups.items():
        model = by_text[entry.asked]
        points = Points(entry.points, model.answer)
        yield Card(
            f"{rubric.question}.{name}", "follow-up", model.level, model.question, points,
            proof_of(entry.points),
        )  # fmt: skip


def because(probe: Probe) -> str:
    """Return why a probe's answer is right, and what proves it."""
    why = f"{probe.because[:1].upper()}{probe.because[1:].rstrip('.')}."
    return f"{why}\n\n{proof(probe.claims, probe.source)}"


def probes(rubric: Rubric) -> Iterator[Card]:
    """Yield a card for each probe."""
    levels = {point.probe: point.level for point in rubric.main.points if point.probe}
    for name, probe in rubric.probes.items():
        back = because(probe)
        yield Card(
            f"{rubric.question}.probe.{name}", "probe", levels.get(name, ""), probe.asked,
            wanted(probe), back, probe.claims,
        )  # fmt: skip


def wrong_answers(rubric: Rubric) -> Iterator[Card]:
    """Yield a card for each wrong answer: which measured result refutes it?"""
    rows = {row.says: row for row in drill_of(rubric.question).wrong_answers}
    for name, says in rubric.wrong.items():
        row = rows[says]
        evidence = {claim: one.evidence for claim, one in claims().items()}
        others = [
            text for claim, text in evidence.items()
            if claim.startswith(rubric.question) and claim not in row.claims
        ]  # fmt: skip
        card_id = f"{rubric.question}.wrong.{name}"
        yield Card(
            card_id, "wrong answer", "", f"A candidate says: {says} Which result refutes it?",
            choice(evidence[row.claims[0]], others, seed=card_id), f"{row.why} ({row.claims[0]})",
            row.claims,
        )  # fmt: skip


def verdicts(question: str) -> Iterator[Card]:
    """Yield a card for each claim: does the sentence hold, and if so, when?"""
    own = [claim for name, claim in claims().items() if name.startswith(question)]
    conditions = [claim.verdict for claim in own if claim.verdict not in (HOLDS, REFUTED)]
    for claim in own:
        card_id = f"{claim.id}.verdict"
        options = {HOLDS, REFUTED, claim.verdict}
        draw = choice(claim.verdict, conditions, seed=card_id, most=4)
        for text in draw.options:
            if len(options) < 4:
                options.add(text)
        yield Card(
            card_id, "verdict", "", f"On trial: “{sentence(claim.id)}” What was measured?",
            Choice(tuple(sorted(options, key=_in_order)), claim.verdict),
            claim.evidence, (claim.id,),
        )  # fmt: skip


def _in_order(verdict: str) -> tuple[int, str]:
    return ((HOLDS, REFUTED).index(verdict) if verdict in (HOLDS, REFUTED) else 2, verdict)


def changes(question: str) -> Iterator[Card]:
    """Yield a card for each claim that depends on the generation: which values, on which?"""
    table = tomllib.loads((ROOT / WORDS).read_text(encoding="utf-8"))["claims"]
    for name in (one for one in claims() if one.startswith(question)):
        if not (differing := changing_cases(claims()[name])):
            continue
        case, words = differing[0], table[name]
        right = tuple(case.values[one] for one in GENERATIONS)
        # What somebody would say who knows the values, but not since when each is true.
        guesses = set(combinations_with_replacement(dict.fromkeys(right), len(right)))
        others = sorted(guesses | {right[::-1]})
        yield Card(
            f"{name}.generations", "generations", "staff",
            f"{words['question']}\n\nMeasured: {case.what}.",
            choice(_by_generation(right), map(_by_generation, others), seed=name),
            f"Before: {words['before']}\n\nNow: {words['now']}\n\n{words['say']}", (name,),
        )  # fmt: skip


def _by_generation(values: Sequence[str]) -> str:
    if len(set(values)) == 1:
        return f"{values[0]} on every one"
    return ", ".join(f"{value} on {one}" for value, one in zip(values, GENERATIONS, strict=True))
