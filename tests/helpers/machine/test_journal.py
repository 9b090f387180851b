import numpy as np
import pytest

from helpers.errors import UsageError
from helpers.machine import journal


@pytest.fixture
def file(tmp_path):
    return tmp_path / "events.jsonl"


def test_events_are_kept_in_their_order(file):
    assert journal.read(file) == journal.Journal((), 0)
    journal.add(file, {"n": 1, "says": "für"})
    journal.add(file, {"n": np.int64(2)})
    assert journal.read(file) == journal.Journal(({"n": 1, "says": "für"}, {"n": 2}), 0)
    assert "für" in file.read_text(encoding="utf-8")


def test_a_line_that_was_cut_off_costs_one_event(file):
    journal.add(file, {"n": 1})
    with file.open("ab") as handle:
        handle.write('{"n": 2, "says": "f\u00fc'.encode()[:-1])
    journal.add(file, {"n": 3})
    assert journal.read(file) == journal.Journal(({"n": 1}, {"n": 3}), 1)


def test_what_is_no_event_is_counted(file):
    file.write_text('[1]\n\n7\n{"n": 1}\nnonsense\n')
    assert journal.read(file) == journal.Journal(({"n": 1},), 3)


def test_what_json_cannot_hold_is_refused_and_nothing_is_written(file):
    with pytest.raises(UsageError, match="object is no number"):
        journal.add(file, {"n": object()})
    assert not file.exists()


def test_only_a_line_feed_ends_an_event(file):
    says = "one\u2028two\u0085three\x0bfour"
    journal.add(file, {"says": says})
    assert journal.read(file) == journal.Journal(({"says": says},), 0)
