"""The eight incidents in numbers: their consumers, and their publishers."""

import random
from dataclasses import dataclass

POISON = "poison"  # id of the one event that no consumer can handle


@dataclass(frozen=True)
class Code:
    """Behaviour of the consumers."""

    work_s: float = 0.002
    holds_after: int | None = None  # it hangs after so many events
    new_kind_fails: bool = False
    requeues: bool = False  # failed events; otherwise they are dead-lettered

    def fails(self, event: str) -> bool:
        """Return whether the handler raises: for the poison always, and for a new kind of event."""
        return event == POISON or (
            self.new_kind_fails and event.isdecimal() and int(event) % 5 == 0
        )


@dataclass(frozen=True)
class Case:
    """One incident, in numbers."""

    per_s: float
    burst: int = 0  # published at once, before the rest
    most: int | None = None
    bound: bool = True
    poison: bool = False
    consumers: int = 1
    prefetch: int = 10
    code: Code = Code()


def case_of(incident: str, dice: random.Random) -> Case:
    """Return the numbers of an incident, some of them drawn by the dice."""
    handled, held = dice.randint(5, 15), dice.randint(15, 30)
    stuck = Code(holds_after=handled)
    cases = {
        "stuck consumer": Case(50, most=handled + held, prefetch=held, code=stuck),
        "poison loop": Case(dice.randint(8, 15), poison=True, code=Code(requeues=True)),
        "slow consumer": Case(4, burst=dice.randint(80, 95), prefetch=1, code=Code(work_s=0.5)),
        "healthy growth": Case(
            dice.randint(55, 65), 300, 1500, consumers=3, prefetch=20, code=Code(work_s=0.08)
        ),
        "publisher blocked": Case(20),  # the incident happens to its node
        "unroutable flood": Case(dice.randint(15, 40), bound=False),
        "missing consumer": Case(dice.randint(15, 30), consumers=0),
        "DLQ filling": Case(dice.randint(20, 40), code=Code(new_kind_fails=True)),
    }
    return cases[incident]
