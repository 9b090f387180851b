"""Write down the reader's guess before an experiment and compare it with the measurement.

Where it is the reader's turn, a value that the reader sets is tried on the broker, and judged.

Guesses are lines of JSON in ``work/predictions.jsonl``; nothing is ever overwritten, so that a
reader sees how the guesses of last month compare with those of today.
"""

from numbers import Real
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine import journal
from helpers.machine.paths import work

CERTAIN = 100  # percent
_questions: dict[str, tuple[str, object, str, float | None]] = {}


def path() -> Path:
    """Return the file of the guesses, ``predictions.jsonl`` in the learner's folder ``work/``."""
    return work() / "predictions.jsonl"


def commit(
    key: str, question: str, guess: object, *, unit: str = "", sure: float | None = None
) -> None:
    """Write down a guess before the experiment runs.

    Args:
        key: the id of the question, like "q02.2", as for ``compare``.
        question: one sentence, as it is printed.
        guess: a number, a string or a list; None means no guess, which is fine.
        unit: unit of the guess, such as "copies".
        sure: how sure the reader is, 0 to 100; an error that one was sure of comes back when
            practising, after a day and after a week. None: not said.

    Raises:
        UsageError: the guess can't be kept as JSON, or ``sure`` is no percentage.
    """
    if sure is not None and not (isinstance(sure, Real) and 0 <= float(sure) <= CERTAIN):
        raise UsageError(f"how sure you are is a number from 0 to 100, not {sure!r}")
    _questions[key] = (question, guess, unit, sure)
    if guess is None:
        print(f"{key} {question} No guess yet: set one above and run the cell again.")
        return
    _keep({"key": key, "question": question, "guess": guess, "unit": unit} | _how_sure(sure))
    print(f"{key} {question} Your guess: {_text(guess, unit)}.")


def compare(key: str, measured: object) -> None:
    """Compare the guess with the measurement, print both, and keep both with the date.

    Args:
        key: the key given to ``commit``; an unknown one counts as no guess.
        measured: the measured value, in the unit of the guess.
    """
    question, guess, unit, sure = _questions.get(key, ("", None, "", None))
    if guess is None:
        print(f"{key} measured: {_text(measured, unit)} (no guess to compare with).")
        return
    entry = {"key": key, "question": question, "guess": guess, "measured": measured, "unit": unit}
    _keep(entry | _how_sure(sure))
    verdict = "as you said" if guess == measured else _distance(guess, measured)
    print(f"{key} measured: {_text(measured, unit)}; you said {_text(guess, unit)}: {verdict}.")


def your_turn(key: str, question: str, tried: object, *, right: bool, because: str) -> None:
    """Say whether a value that the reader has set answers a question, and keep it with the date.

    Args:
        key: the question's name, which begins with the notebook's: "q09 share".
        question: one sentence, as it is printed.
        tried: a number, a string, a list or a dict of these.
        right: whether the broker showed that the value answers the question.
        because: what the broker showed, with its number: "the slow worker got 24 of 120".

    Raises:
        UsageError: the value can't be kept as JSON.
    """
    _keep({"key": key, "question": question, "guess": tried, "right": bool(right)})
    print(f"{question}\n{_text(tried, '')}: {'yes' if right else 'not yet'}, {because}.")


def _how_sure(sure: float | None) -> dict[str, object]:
    return {} if sure is None else {"sure": sure}


def _distance(guess: object, measured: object) -> str:
    if isinstance(guess, Real) and isinstance(measured, Real):
        expected, seen = float(guess), float(measured)
        if expected * seen > 0:
            ratio = max(expected / seen, seen / expected)
            return "close" if ratio <= 1.5 else f"off by a factor of {ratio:.1f}"
    return "not what happened: find out why before you read on"


def _text(value: object, unit: str) -> str:
    number = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{number} {unit}".rstrip()


def _keep(entry: dict[str, object]) -> None:
    try:
        journal.add(path(), {"date": journal.now(), **entry})
    except UsageError as error:
        raise UsageError(
            f"a guess must be a number, a text or a list of these, not {entry['guess']!r}"
        ) from error
