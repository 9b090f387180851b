"""Compute verdicts from cases, show them, and keep them for the notebook's last table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from helpers.claims.card import Card, Row
from helpers.claims.cases import Case
from helpers.errors import ClaimFailedError, UsageError

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["holds", "holds if", "refuted"]
VERDICTS: tuple[Verdict, ...] = ("holds", "holds if", "refuted")
LONGEST_EVIDENCE = 110


@dataclass(frozen=True)
class Checked:
    """A claim that was checked in this kernel."""

    claim: str
    sentence: str
    verdict: str
    evidence: str


_checked: dict[str, Checked] = {}


def check(
    claim: str,
    sentence: str,
    *cases: Case,
    expect: Verdict,
    evidence: str,
    condition: str | None = None,
    outside: Sequence[Case] = (),
    also: Sequence[Case] = (),
    stored: str = "",
) -> None:
    """Compute the verdict on a sentence and show it as a card, or fail with the numbers.

    Args:
        claim: the claim's id, like "q02.1".
        sentence: the sentence on trial.
        *cases: the set-ups; with a ``condition``, those that meet it.
        expect: the verdict recorded for this claim; another one fails.
        evidence: a sentence for people, of at most 110 characters, with ``{0}``, ``{1}`` … where
            the values of all cases belong, in the order of the card: "{0} cents in one
            transaction, {1} when the effect comes first". ``{0[4.3]}`` is that of a generation.
        condition: what makes the sentence true: "each subscriber has its own queue".
        outside: with a ``condition``: the set-ups that do not meet it.
        also: cases that must have held whatever the verdict, such as the remedy; the sentence
            says nothing about them.
        stored: when and with what the numbers were measured, if not now; what is shown is then no
            verdict, because nothing was put to the test.

    Raises:
        ClaimFailedError: the computed verdict is not the expected one, or a case is too close to
            call; the message is a table of the numbers.
        UsageError: no cases, a condition without cases outside it, or an evidence that is too
            long, is no whole sentence, or names a value that is not there.
    """
    from IPython.display import display

    if expect not in VERDICTS:
        raise UsageError(f"expect must be one of {', '.join(VERDICTS)}, not {expect!r}")
    if not cases:
        raise UsageError(f"{claim} has no cases: pass at least one")
    if (condition is None) != (not outside) or (condition is None) != (expect != "holds if"):
        raise UsageError(
            f'{claim}: a condition, cases outside it and expect="holds if" belong together'
        )
    every = [*cases, *outside, *also]
    verdict = _verdict(cases, outside)
    if (
        verdict != expect
        or not all(case.as_seen for case in every)
        or not all(case.held for case in also)
    ):
        raise ClaimFailedError(_report(claim, sentence, verdict, expect, every))
    said = f"holds if {condition}" if condition else verdict
    told = _filled(claim, evidence, every)
    rows = [
        *(_row(case, case.outcome) for case in (*cases, *outside)),
        *(_row(replace(case, says=""), "· checked") for case in also),
    ]
    _checked[claim] = Checked(
        claim, sentence, f"{said} (not checked now)" if stored else said, told
    )
    display(Card(claim, sentence, said, rows, told, stored))


def _row(case: Case, outcome: str) -> Row:
    return Row(case.what, case.says, case.measured, outcome, case.here)


def _filled(claim: str, evidence: str, cases: Sequence[Case]) -> str:
    try:
        told = evidence.format(*(case.value for case in cases))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(
            f"{claim}: the evidence {evidence!r} cannot be filled in: {error}"
        ) from None
    if not told or told != told.strip() or "\n" in told or told.endswith("…"):
        raise UsageError(f"{claim}: the evidence must be one whole sentence, not {told!r}")
    if len(told) > LONGEST_EVIDENCE:
        raise UsageError(
            f"{claim}: the evidence has {len(told)} characters, at most {LONGEST_EVIDENCE} fit"
        )
    return told


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
        f"  {word[case.held]:<18} {case.what}: {case.numbers}"
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
