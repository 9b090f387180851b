"""The score sheet of an interview: what was said, kept apart from what was proven. No grade."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from helpers.suite.drill import LEVELS
from practice.rubrics import Point

ENOUGH = 6  # points of a level that tell anything
MOST = 0.7  # of the points of a level: an interviewer would call that answered
LAST = 5  # interviews over which being sure is compared with being right


@dataclass(frozen=True)
class Made:
    """A point that was asked for: what the learner said, and whether a probe bore it out."""

    ask: str  # such as "q09.main"
    point: Point
    level: str
    said: str  # "y", "n" or "p"
    held: bool | None = None  # None: it was not cross-examined

    @property
    def stands(self) -> bool:
        """Whether the point counts as said: ticked, and not taken back."""
        return self.said == "y" and self.held is not False


@dataclass(frozen=True)
class Decided:
    """Something with one right answer: a probe, a wrong answer, the generations, a proof."""

    what: str  # id of its card
    right: bool
    sure: int | None


@dataclass
class Sheet:
    """What an interview has shown so far."""

    made: list[Made] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    sure: int | None = None

    @property
    def reached(self) -> str:
        """The highest level that was answered; "" if too few points tell."""
        found = ""
        for number, level in enumerate(LEVELS):
            points = [one for one in self.made if one.level == level]
            below = [one for one in self.made if LEVELS.index(one.level) <= number]
            taken_back = any(one.held is False for one in below)
            if len(points) >= ENOUGH and _share(points) >= MOST and not taken_back:
                found = level
        return found

    def table(self) -> str:
        """Return the table of levels, in at most 40 columns."""
        lines = [f"{'':8} asked  said  proven"]
        for level in LEVELS:
            points = [one for one in self.made if one.level == level]
            if not points:
                continue
            probed = [one for one in points if one.held is not None]
            proven = f"{sum(bool(one.held) for one in probed)} of {len(probed)}" if probed else "-"
            said = sum(one.stands for one in points)
            lines.append(f"{level:8} {len(points):5}  {said:4}  {proven}")
        return "\n".join(lines)

    def words(self, earlier: Sequence[tuple[int, int, int]] = ()) -> list[str]:
        """Return the sentences below the table.

        Args:
            earlier: of the interviews before: how sure the learner was, in percent; how many of
                the decided things were right; how many there were.
        """
        found = [f"Answered like: {self.reached}." if self.reached else self._why_no_level()]
        if back := [one.point.says for one in self.made if one.held is False]:
            found.append(f"Taken back: {'; '.join(back)}.")
        if self.decided:
            right = sum(one.right for one in self.decided)
            sure = f"You were {self.sure} % sure; of" if self.sure is not None else "Of"
            found.append(f"{sure} what could be proven, {right} of {len(self.decided)} held.")
        last = [one for one in earlier if one[2]][-LAST:]
        if last:
            sure_of = round(sum(one[0] for one in last) / len(last))
            held = round(100 * sum(one[1] for one in last) / sum(one[2] for one in last))
            found.append(f"Your last {len(last)} before: sure {sure_of}, proven {held}, of 100.")
        return found

    def _why_no_level(self) -> str:
        if max((self._asked(level) for level in LEVELS), default=0) < ENOUGH:
            return "Too few points to tell."
        return (
            f"Like no level yet: one takes {ENOUGH} points asked, {100 * MOST:.0f} % of them said,"
            " and no tick taken back at or below it."
        )

    def _asked(self, level: str) -> int:
        return sum(one.level == level for one in self.made)

    def gaps(self) -> list[Made]:
        """Return the points that were not made, or taken back, each once."""
        return list({(one.ask, one.point.id): one for one in self.made if not one.stands}.values())


def _share(points: Iterable[Made]) -> float:
    every = list(points)
    return sum(one.stands for one in every) / len(every)
