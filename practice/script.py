"""An interview of thirty minutes, as a script: it yields what to ask, and is sent the answers.

A terminal and JupyterLab are two ways to play it. The main question and its follow-ups are marked
by the learner, point by point; one ticked point in three is cross-examined by a probe, which can
take the tick back. What has one right answer is decided.
"""

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from helpers.suite.drill import LEVELS
from practice import choosing, material, proving, rubrics, state
from practice.cards import Card, Points
from practice.judging import Answer, rating_of_marks
from practice.prompts import Decide, Mark, Prompt, Prove, Script, Speak, Spoken, Tell
from practice.rubrics import Point, Probe, Question, Rubric
from practice.schedule import AGAIN, GOOD
from practice.sheet import Decided, Made, Sheet

FOLLOW_UPS = 4
PROBED = 3  # one ticked point in so many is cross-examined
TALK = 19 / 30  # of the time: the main question and its follow-ups
DECIDE = 24 / 30  # of the time: what a candidate says, and the generations


@dataclass
class Interview:
    """What an interview is made from, and what it has shown so far."""

    level: str
    seconds: float
    seed: str
    cards: Sequence[Card]
    history: state.History
    now: Callable[[], datetime]
    elapsed: Callable[[], float]  # seconds since it began
    prove_live: Callable[[str], bool]  # whether a claim can be measured here
    sheet: Sheet = field(default_factory=Sheet)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        today = self.now().date()
        self.about = choosing.ranking(self.cards, self.history, today, self.seed)
        self.rubric = rubrics.read(self.about[0])

    def script(self) -> Script:
        """Play the interview; the sheet is returned, and what was shown is kept as it goes."""
        yield Tell(self._heading())
        yield from self._main()
        yield from self._follow_ups()
        if self.elapsed() < self.seconds * DECIDE:
            yield from self._card(self._wrong_answer())
            yield from self._card(self._generations())
        yield from self._proof()
        self._keep()
        return self.sheet

    def _heading(self) -> str:
        number = len(self.history.of("interview")) + 1
        own = [card.gap for card in self.cards if card.question == self.about[0] and card.gap]
        because = f" because: {' '.join(own)}" if own else ""
        return (
            f"Interview {number} · {self.about[0].upper()}, {self.level}.{because}\n\nSpeak aloud,"
            " as you would there. Nothing is sent anywhere."
        )

    def _main(self) -> Script:
        question = self.rubric.main
        spoken: Spoken = yield Speak(material.drill_of(self.rubric.question).title, sure=True)
        self.sheet.sure = spoken.sure
        reach = LEVELS.index(self.level)
        points = tuple(one for one in question.points if LEVELS.index(one.level) <= reach)
        marks = yield Mark(points, spoken.lines)
        yield from self._examined(self.rubric, question, points, marks)
        yield Tell(material.drill_of(self.rubric.question).two_minute_answer)
        self._review(f"{self.rubric.question}.{rubrics.MAIN}", points, marks)
        return self.sheet

    def _follow_ups(self) -> Script:
        level, good, asked = self.level, 0, set[str]()
        for number in range(FOLLOW_UPS):
            if self.elapsed() > self.seconds * TALK:
                break
            # The last one leads to another question, as interviewers do.
            bridge = number == FOLLOW_UPS - 1 and len(self.about) > 1
            rubric = rubrics.read(self.about[1]) if bridge else self.rubric
            question = choosing.follow_up(
                rubric, gaps=self._gaps(rubric), level=level, asked=asked, draw=self.draw
            )
            if question is None:
                break
            asked.add(question.id)
            its_level = choosing.levels_of(rubric)[question.id]
            spoken: Spoken = yield Speak(f"[{its_level}] {question.asked}")
            marks = yield Mark(question.points, spoken.lines)
            yield from self._examined(rubric, question, question.points, marks, its_level)
            card = self._card_of(f"{rubric.question}.{question.id}")
            if card and isinstance(card.wanted, Points):
                yield Tell(card.wanted.answer)
            if question.weaker:
                yield Tell(_beside(question))
            self._review(f"{rubric.question}.{question.id}", question.points, marks)
            well = list(marks.values()).count("y") >= len(question.points) - 1
            good = good + 1 if well else 0
            level = choosing.staircase(level, good=good, bad=not well)
            good = 0 if good > 1 else good
        return self.sheet

    def _gaps(self, rubric: Rubric) -> set[str]:
        """Return the main points of a question that were asked for and not made."""
        main = f"{rubric.question}.{rubrics.MAIN}"
        return {one.point.id for one in self.sheet.made if one.ask == main and not one.stands}

    def _examined(
        self, rubric: Rubric, question: Question, points: Sequence[Point], marks: dict[str, str],
        level: str = "",
    ) -> Script:  # fmt: skip
        """Cross-examine some of the ticked points, and keep all of them."""
        ticked = [one for one in points if marks[one.id] == "y"]
        probed = [one for one in ticked if one.probe]
        number = min(len(probed), max(1, round(len(ticked) / PROBED)))
        chosen = {one.id for one in self.draw.sample(probed, number)}
        ask = f"{rubric.question}.{question.id}"
        for point in [one for one in points if one.id not in chosen]:
            self._made(Made(ask, point, point.level or level, marks[point.id]))
        for point in [one for one in points if one.id in chosen]:
            probe = rubric.probes[point.probe]
            answer = yield from self._probe(rubric, point, probe)
            made = Made(ask, point, point.level or level, "y", answer.right)
            self._made(made, probe=probe.id, answer=answer.said, right=answer.right)
        return self.sheet

    def _made(self, made: Made, **facts: Any) -> None:
        self.sheet.made.append(made)
        state.record(
            "point", self.now(), ask=made.ask, point=made.point.id, said=made.said, **facts
        )

    def _probe(
        self, rubric: Rubric, point: Point, probe: Probe
    ) -> Generator[Prompt, Any, Answer]:  # fmt: skip
        text = f"Cross-examined on “{point.says}”: {probe.asked}"
        answer: Answer = yield Decide(text, material.wanted(probe), material.because(probe))
        if not answer.right:
            yield Tell("Your tick is taken back.")
        self._decided(f"{rubric.question}.probe.{probe.id}", answer)
        return answer

    def _card(self, card: Card | None) -> Script:
        if card is not None:
            answer = yield Decide(card.front, card.wanted, card.back)
            self._decided(card.id, answer)
        return self.sheet

    def _wrong_answer(self) -> Card | None:
        own = [card for card in self._cards_here() if card.kind in ("belief", "guess")]
        return self._one_of(own or [c for c in self._cards_here() if c.kind == "wrong answer"])

    def _generations(self) -> Card | None:
        every = [card for card in self.cards if card.kind == "generations"]
        return self._one_of([one for one in every if one.question == self.about[0]] or every)

    def _proof(self) -> Script:
        lacking = [name for made in self.sheet.gaps() for name in made.point.claims]
        here = [name for name in material.claims() if name.startswith(self.about[0])]
        wanted = [name for name in here if name in lacking] or here
        live = [name for name in wanted if self.prove_live(name)]
        claim = self.draw.choice(live or wanted)
        card = self._card_of(f"{claim}.verdict")
        if card is None:
            return self.sheet
        measured = material.claims()[claim]
        back = "" if live else f"Measured before, on the newest generation:\n\n{measured.evidence}"
        yield Tell("Prove it." if live else "Prove it; without a broker, by what was measured.")
        answer = yield Decide(card.front, card.wanted, back)
        self._decided(card.id, answer)
        if live:
            proof: proving.Proof = yield Prove(claim)
            shown = f"```text\n{proof.claim.text}\n```" if proof.claim else ""
            yield Tell(shown or f"It failed here: {proof.why_not}")
        return self.sheet

    def _cards_here(self) -> list[Card]:
        return [card for card in self.cards if card.question == self.about[0]]

    def _one_of(self, cards: Sequence[Card]) -> Card | None:
        return self.draw.choice(cards) if cards else None

    def _card_of(self, name: str) -> Card | None:
        return next((card for card in self.cards if card.id == name), None)

    def _decided(self, card: str, answer: Answer) -> None:
        self.sheet.decided.append(Decided(card, answer.right, answer.sure))
        state.record(
            "review", self.now(), card=card, rating=GOOD if answer.right else AGAIN, by="interview",
            said=answer.said, sure=answer.sure, seconds=round(answer.seconds),
        )  # fmt: skip

    def _review(self, card: str, points: Sequence[Point], marks: dict[str, str]) -> None:
        """Keep how a spoken answer went, without the ticks that were taken back."""
        back = {one.point.id for one in self.sheet.made if one.ask == card and one.held is False}
        said = {one.id: "n" if one.id in back else marks[one.id] for one in points}
        rating = rating_of_marks(list(said.values()))
        state.record("review", self.now(), card=card, rating=rating, by="interview", said=said)

    def _keep(self) -> None:
        right = sum(one.right for one in self.sheet.decided)
        state.record(
            "interview", self.now(), level=self.level, asked=[self.about[0]],
            reached=self.sheet.reached, sure=self.sheet.sure, right=right,
            decided=len(self.sheet.decided), seconds=round(self.elapsed()),
        )  # fmt: skip


def _beside(question: Question) -> str:
    assert question.weaker is not None
    lacking = [one.says for one in question.points if one.id in question.weaker.lacks]
    return (
        f"A weaker answer, to compare yours with: “{question.weaker.says}”\n\nIt lacks:"
        f" {'; '.join(lacking)}."
    )


def earlier(history: state.History) -> list[tuple[int, int, int]]:
    """Return for each interview before: sure in percent, right and decided; as `Sheet.words`."""
    facts = [event.facts for event in history.of("interview")]
    return [
        (one["sure"], one["right"], one["decided"])
        for one in facts
        if all(isinstance(one.get(key), int) for key in ("sure", "right", "decided"))
    ]
