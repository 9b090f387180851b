"""Put sentences of an interview answer on trial: compare their predictions with measurements.

An experiment is a set of cases. In each, the sentence predicts something and the broker does
something. The verdict is computed from the cases, never stated:

* **holds**: the sentence was right in every case;
* **refuted**: it was wrong in every case;
* **holds if …**: right in every case that meets the condition, wrong in every case outside it.

Anything else, and any case too close to call, fails with the numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from helpers import broker
from helpers.errors import ClaimFailedError, UsageError
from helpers.rabbitmq.generations import compared_with, not_recorded

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["holds", "holds if", "refuted"]
VERDICTS: tuple[Verdict, ...] = ("holds", "holds if", "refuted")


@dataclass(frozen=True)
class Case:
    """One set-up of an experiment.

    ``held`` is None when the measurement is too close to call; ``seen`` is the stable text for
    the claim line; ``numbers`` is what a failure prints.
    """

    what: str
    held: bool | None
    seen: str
    numbers: str
    as_seen: bool = True


@dataclass(frozen=True)
class Checked:
    """A claim that was checked in this kernel."""

    claim: str
    sentence: str
    verdict: str
    evidence: str


_checked: dict[str, Checked] = {}


def equal(what: str, *, says: object, measured: object, instead: object | None = None) -> Case:
    """Compare a count or an order that repeats exactly on every run.

    Args:
        what: the set-up and the quantity, in a few words.
        says: the value that the sentence predicts.
        measured: the value that was measured; it is printed, so it must repeat exactly.
        instead: the value that a broken sentence must show; any other wrong value fails.

    Source: the convention of this package.
    """
    held = measured == says
    seen = f"{what} {measured}" if held else f"{what} {measured}, not {says}"
    numbers = f"the sentence says {says!r}, measured {measured!r}"
    if instead is not None:
        numbers += f" (known exception: {instead!r})"
    return Case(what, held, seen, numbers, held or instead is None or measured == instead)


def at_least(what: str, *, says: float, measured: float, breaks_below: float | None = None) -> Case:
    """Compare a number that varies from run to run with a bound that leaves a wide margin.

    Args:
        what: the set-up and the quantity, in a few words.
        says: the sentence held when ``measured`` is at least this.
        measured: the measurement; it is printed only on failure.
        breaks_below: the sentence broke when ``measured`` is below this (default: ``says``);
            in between the case is too close to call.
    """
    limit = says if breaks_below is None else breaks_below
    if limit > says:
        raise UsageError(f"breaks_below ({limit:g}) must not be above says ({says:g})")
    held = True if measured >= says else (False if measured < limit else None)
    bound = f"at least {says:g}" if held else f"below {limit:g}"
    return Case(what, held, f"{what} {bound}", f"measured {measured:.4g}, bound: {bound}")


def at_most(what: str, *, says: float, measured: float, breaks_above: float | None = None) -> Case:
    """Compare a number that varies from run to run with an upper bound; see ``at_least``.

    Args:
        what: the set-up and the quantity, in a few words.
        says: the sentence held when ``measured`` is at most this.
        measured: the measurement; it is printed only on failure.
        breaks_above: the sentence broke when ``measured`` is above this (default: ``says``).
    """
    limit = says if breaks_above is None else breaks_above
    if limit < says:
        raise UsageError(f"breaks_above ({limit:g}) must not be below says ({says:g})")
    held = True if measured <= says else (False if measured > limit else None)
    bound = f"at most {says:g}" if held else f"above {limit:g}"
    return Case(what, held, f"{what} {bound}", f"measured {measured:.4g}, bound: {bound}")


def by_generation(
    what: str,
    *,
    says: object,
    measured: object,
    seen: Mapping[str, object],
    on: str | None = None,
) -> Case:
    """Compare a count that differs between RabbitMQ generations with what was seen on each.

    The printed text names every generation, so the claim line is the same on all of them; the
    measurement must be the value seen on the one that is running.

    Args:
        what: the set-up and the quantity, in a few words.
        says: the value that the sentence predicts on every generation.
        measured: the value that was measured now.
        seen: generation, such as "3.10", to the value measured there. A generation without a
            value is compared with the newest one before it, and a failure says so.
        on: the generation that was measured, where that is not the broker's, like "3.10".
    """
    now = on or broker.generation()
    expected = seen[compared_with(now, seen)]
    table = ", ".join(f"{value} on {name}" for name, value in seen.items())
    held = all(value == says for value in seen.values())
    where = not_recorded(now, seen) or now
    numbers = f"measured {measured!r} on {where}, where {expected!r} was seen before ({table})"
    return Case(what, held, f"{what} {table}", numbers, measured == expected)


def check(
    claim: str,
    sentence: str,
    *cases: Case,
    expect: Verdict,
    condition: str | None = None,
    outside: Sequence[Case] = (),
    also: Sequence[Case] = (),
    stored: str = "",
) -> None:
    """Compute the verdict on a sentence and print it as one line, or fail with the numbers.

    Args:
        claim: the claim's id, like "q02.1".
        sentence: the sentence on trial.
        *cases: the set-ups; with a ``condition``, those that meet it.
        expect: the verdict recorded for this claim; another one fails.
        condition: what makes the sentence true: "each subscriber has its own queue".
        outside: with a ``condition``: the set-ups that do not meet it.
        also: cases that must have held whatever the verdict, such as the remedy.
        stored: when and with what the numbers were measured, if not now; what is printed is then
            no claim line, because nothing was put to the test.

    Raises:
        ClaimFailedError: the computed verdict is not the expected one, or a case is too close to
            call; the message is a table of the numbers.
        UsageError: no cases, or a condition without cases outside it.
    """
    if expect not in VERDICTS:
        raise UsageError(f"expect must be one of {', '.join(VERDICTS)}, not {expect!r}")
    if not cases:
        raise UsageError(f"{claim} has no cases: pass at least one")
    if (condition is None) != (not outside) or (condition is None) != (expect != "holds if"):
        raise UsageError(
            f'{claim}: a condition, cases outside it and expect="holds if" belong together'
        )
    verdict = _verdict(cases, outside)
    if (
        verdict != expect
        or not all(c.as_seen for c in (*cases, *outside, *also))
        or (not all(case.held for case in also))
    ):
        raise ClaimFailedError(_report(claim, sentence, verdict, expect, [*cases, *outside, *also]))
    said = f"holds if {condition}" if condition else verdict
    evidence = "; ".join(case.seen for case in (*cases, *outside, *also))
    line = f"{claim} {said}: {evidence}"
    if stored:
        said, line = f"{said} (not checked now)", f"not checked now; {stored}: {line}"
    _checked[claim] = Checked(claim, sentence, said, evidence)
    print(line)


def _verdict(cases: Sequence[Case], outside: Sequence[Case]) -> str:
    held = [case.held for case in cases]
    broke = [case.held for case in outside]
    if None in held or None in broke:
        return "too close to call"
    if outside:
        if all(held) and not any(broke):
            return "holds if"
        return "mixed"
    if all(held):
        return "holds"
    return "mixed" if any(held) else "refuted"


def _report(claim: str, sentence: str, verdict: str, expect: str, cases: Sequence[Case]) -> str:
    word = {True: "held", False: "broke", None: "too close to call"}
    rows = [
        f"  {word[case.held]:<18} {case.what.removesuffix(':')}: {case.numbers}"
        + ("" if case.as_seen else "  <- not what was seen before")
        for case in cases
    ]
    head = f'{claim} "{sentence}": expected "{expect}", measured "{verdict}"'
    return "\n".join([head, *rows])


def _in_order(claim: str) -> tuple[str, int]:
    question, _, number = claim.partition(".")
    return question, int(number) if number.isdigit() else 0


def table() -> "pd.DataFrame":
    """Return the claims checked in this kernel, in the order of their ids.

    Returns:
        DataFrame[sentence str, verdict str, evidence str], indexed by claim id (str).
    """
    import pandas as pd

    from helpers import tables

    rows = [vars(_checked[claim]) for claim in sorted(_checked, key=_in_order)]
    columns = ["claim", "sentence", "verdict", "evidence"]
    return tables.of_words(pd.DataFrame(rows, columns=columns).set_index("claim"))
