"""Lab 4 names a belief by what it knows of a publisher: the order of its writes, and its calls."""

import time

import pytest

from labs.judge.actor import Boundary
from labs.lab04_guarantees.known import Known, noted_before


def boundaries(*kinds: str, message: str = "payment-0") -> list[Boundary]:
    return [Boundary("publisher", at, message, {}, time.monotonic()) for at in kinds]


@pytest.mark.parametrize(
    ("kinds", "before"),
    [
        (["loaded", "before effect", "before publish", "before commit"], True),
        (["loaded", "before publish", "before effect", "before commit"], False),
        (["loaded", "before effect", "before publish", "before effect"], False),
        (["loaded", "before effect", "before publish", "loaded", "before effect"], True),
        (["loaded", "before publish"], False),
        (["loaded", "before effect"], False),
    ],
)
def test_a_note_before_the_publish_is_told_from_one_after_it(kinds: list[str], before: bool):
    assert noted_before(boundaries(*kinds), "payment-0") is before


@pytest.mark.parametrize(
    ("line", "asks", "transactions"),
    [
        ("channel.basic_publish('', 'receipts', body)", False, False),
        ("if channel.basic_publish('', 'receipts', body): pass", True, False),
        ("sent = channel.basic_publish('', 'receipts', body)", True, False),
        ("channel.tx_select()", False, True),
    ],
)
def test_calls_name_a_belief(line: str, asks: bool, transactions: bool, tmp_path):
    submission = tmp_path / "lab04.py"
    submission.write_text(f"{line}\n")
    known = Known(submission)
    assert (known.asks_publish, known.transactions) == (asks, transactions)
