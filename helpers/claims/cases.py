"""Compare what a sentence predicts with what was measured, one set-up of an experiment each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpers import broker
from helpers.errors import UsageError
from helpers.rabbitmq.generations import compared_with, not_recorded

Value = int | float | str
SINGULARS = {"ies": "y", "sses": "ss", "ches": "ch", "shes": "sh", "xes": "x", "s": ""}
PREPOSITIONS = ("of", "per", "at", "by", "for", "in", "on", "to", "with")


@dataclass(frozen=True)
class Case:
    """One set-up of an experiment.

    ``held`` is None when the measurement is too close to call; ``value`` is what the evidence
    shows; ``numbers`` is what a failure prints; ``here`` differs from run to run.
    """

    what: str
    held: bool | None
    says: str
    measured: str
    numbers: str
    value: object
    here: str = ""
    as_seen: bool = True
    partly: bool = False  # it held on some generations

    @property
    def outcome(self) -> str:
        """Return how the measurement compares with the sentence, as a card says it."""
        if self.held:
            return "✓ as said"
        return "✗ not on all" if self.partly else "✗ not so"


def equal(
    what: str, *, says: Value, measured: Value, unit: str = "", instead: Value | None = None
) -> Case:
    """Compare a count or a word that repeats exactly on every run.

    Args:
        what: the set-up, in words that need no code: "id and effect in one transaction".
        says: the value that the sentence predicts.
        measured: the value that was measured; it is shown, so it must repeat exactly.
        unit: what is counted: "cents".
        instead: the value that a broken sentence must show; any other wrong value fails.

    Raises:
        UsageError: a value is neither a number nor a word: a list or True explains nothing.
    """
    says, measured = _shown(what, says), _shown(what, measured)
    held = measured == says
    numbers = f"the sentence says {says!r}, measured {measured!r}"
    if instead is not None:
        numbers += f" (known exception: {instead!r})"
    return Case(
        what, held, with_unit(says, unit), with_unit(measured, unit), numbers, measured,
        as_seen=held or instead is None or measured == instead,
    )  # fmt: skip


def each(
    what: str,
    measured: Mapping[Any, Value],
    *,
    says: Value | Mapping[Any, Value],
    unit: str = "",
    instead: Mapping[Any, Value] | None = None,
) -> list[Case]:
    """Compare several counts or words of one kind; see `equal`.

    Args:
        what: the set-up, with ``{}`` where the key of each value belongs: "prefetch {}".
        measured: key to the value that was measured, such as a dict or a Series.
        says: the value that the sentence predicts, for all of them or by key.
        unit: what is counted.
        instead: key to the value that a broken sentence must show.

    Returns:
        A case for each key, in the order of ``measured``.
    """
    return [
        equal(
            what.format(key),
            says=says[key] if isinstance(says, Mapping) else says,
            measured=value,
            unit=unit,
            instead=None if instead is None else instead[key],
        )
        for key, value in measured.items()
    ]


def _shown(what: str, value: Any) -> Value:
    """Return a number or a word as Python has it, also one of NumPy's; refuse all else."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, int | float | str):
        raise UsageError(
            f"{what}: {plain!r} explains nothing to a reader; compare a number or a word, "
            "each of several in a case of its own (claims.each)"
        )
    return plain


def at_least(
    what: str, *, says: float, measured: float, unit: str = "", breaks_below: float | None = None
) -> Case:
    """Compare a number that varies from run to run with a bound that leaves a wide margin.

    Args:
        what: the set-up, in words that need no code.
        says: the sentence held when ``measured`` is at least this.
        measured: the measurement; it is shown, rounded, but not compared.
        unit: what is counted: "times".
        breaks_below: the sentence broke when ``measured`` is below this (default: ``says``);
            in between the case is too close to call.

    Raises:
        UsageError: ``breaks_below`` is above ``says``.
    """
    limit = says if breaks_below is None else breaks_below
    if limit > says:
        raise UsageError(f"breaks_below ({limit:g}) must not be above says ({says:g})")
    held = True if measured >= says else (False if measured < limit else None)
    return _bounded(
        what, held, f"at least {says:g}", f"below {limit:g}", measured=measured, unit=unit
    )


def at_most(
    what: str, *, says: float, measured: float, unit: str = "", breaks_above: float | None = None
) -> Case:
    """Compare a number that varies from run to run with an upper bound; see ``at_least``.

    Args:
        what: the set-up, in words that need no code.
        says: the sentence held when ``measured`` is at most this.
        measured: the measurement; it is shown, rounded, but not compared.
        unit: what is counted.
        breaks_above: the sentence broke when ``measured`` is above this (default: ``says``).

    Raises:
        UsageError: ``breaks_above`` is below ``says``.
    """
    limit = says if breaks_above is None else breaks_above
    if limit < says:
        raise UsageError(f"breaks_above ({limit:g}) must not be below says ({says:g})")
    held = True if measured <= says else (False if measured > limit else None)
    return _bounded(
        what, held, f"at most {says:g}", f"above {limit:g}", measured=measured, unit=unit
    )


def _bounded(
    what: str, held: bool | None, says: str, broke: str, *, measured: float, unit: str
) -> Case:
    seen = says if held else broke
    numbers = f"measured {measured:.4g}, bound: {seen}"
    return Case(
        what, held, with_unit(says, unit), with_unit(seen, unit), numbers, seen,
        here=with_unit(f"{measured:.2g}" if measured < 99.5 else f"{measured:.0f}", unit),
    )  # fmt: skip


def by_generation(
    what: str,
    *,
    says: Value,
    measured: Value,
    seen: Mapping[str, Value],
    unit: str = "",
    on: str | None = None,
) -> Case:
    """Compare a count that differs between RabbitMQ generations with what was seen on each.

    The card names every generation, so it is the same on all of them; the measurement must be the
    value seen on the one that is running.

    Args:
        what: the set-up, in words that need no code.
        says: the value that the sentence predicts on every generation.
        measured: the value that was measured now.
        seen: generation, such as "3.10", to the value measured there. A generation without a
            value is compared with the newest one before it, and a failure says so.
        unit: what is counted.
        on: the generation that was measured, where that is not the broker's, like "3.10".

    Raises:
        UsageError: a value is neither a number nor a word.
    """
    says, measured = _shown(what, says), _shown(what, measured)
    seen = {name: _shown(what, value) for name, value in seen.items()}
    now = on or broker.generation()
    expected = seen[compared_with(now, seen)]
    table = ", ".join(f"{value} on {name}" for name, value in seen.items())
    held = [value == says for value in seen.values()]
    where = not_recorded(now, seen) or now
    numbers = f"measured {measured!r} on {where}, where {expected!r} was seen before ({table})"
    return Case(
        what, all(held), with_unit(says, unit), table, numbers, seen,
        as_seen=measured == expected, partly=any(held),
    )  # fmt: skip


def with_unit(value: object, unit: str) -> str:
    """Return a value with its unit, in the singular for 1: "1 copy", "at least 1 time", "20 s"."""
    if not unit:
        return f"{value}"
    return f"{value} {_singular(unit) if f'{value}'.split()[-1] == '1' else unit}"


def _singular(unit: str) -> str:
    """Return a unit with its plural in the singular: "1 false alarm", but "1 of 5 set-ups"."""
    words = unit.split(" ")
    for place, word in enumerate(words):
        if word in PREPOSITIONS:
            break
        noun, slash, per = word.partition("/")
        for plural, singular in SINGULARS.items():
            if noun.endswith(plural) and len(noun) > 3:
                words[place] = noun.removesuffix(plural) + singular + slash + per
                return " ".join(words)
    return unit
