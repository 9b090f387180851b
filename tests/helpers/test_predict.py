import json

import numpy as np
import pytest

from helpers import predict
from helpers.errors import UsageError
from labs.judge import progress


@pytest.fixture
def kept(tmp_path, monkeypatch):
    file = tmp_path / "work" / "predictions.jsonl"
    monkeypatch.setenv("RABBIT_LAB_WORK", str(file.parent))
    monkeypatch.setattr(predict, "_questions", {})
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def test_missing_guess_is_reported(kept, capsys):
    predict.commit("q99.1", "How many copies?", None, unit="copies")
    predict.compare("q99.1", 20)
    said = capsys.readouterr().out
    assert "No guess yet" in said
    assert "q99.1 measured: 20 copies (no guess to compare with)." in said
    assert not predict.path().exists()


def test_a_guess_and_its_measurement_are_kept_with_the_date(kept, capsys):
    predict.commit("q99.1", "How many copies?", 40, unit="copies")
    predict.compare("q99.1", np.int64(20))
    first, second = kept()
    assert first["guess"] == second["guess"] == 40
    assert "measured" not in first and second["measured"] == 20
    assert first["date"][:4].isdigit() and "T" in first["date"]
    assert "you said 40 copies: off by a factor of 2.0" in capsys.readouterr().out


def test_how_sure_the_reader_was_is_kept_with_guess_and_measurement(kept):
    predict.commit("q99.1", "How many copies?", 40, sure=80)
    predict.compare("q99.1", 20)
    assert [entry["sure"] for entry in kept()] == [80, 80]
    predict.commit("q99.1", "How many copies?", 40)
    predict.compare("q99.1", 20)
    assert not any("sure" in entry for entry in kept()[2:])


@pytest.mark.parametrize("sure", [-1, 101, "very"])
def test_sure_is_a_percentage(kept, sure):
    with pytest.raises(UsageError, match="a number from 0 to 100"):
        predict.commit("q99.1", "How many copies?", 40, sure=sure)
    assert not predict.path().exists()


@pytest.mark.parametrize(
    ("guess", "measured", "words"),
    [
        (20, 20, "as you said"),
        (18, 20, "close"),
        (0, 20, "not what happened"),
        (-20, 20, "not what happened"),
        ("direct", "fanout", "not what happened"),
        ([1, 2], [1, 2], "as you said"),
    ],
)
def test_the_words_fit_the_distance(kept, capsys, guess, measured, words):
    predict.commit("q99.1", "?", guess)
    predict.compare("q99.1", measured)
    assert words in capsys.readouterr().out


def test_a_guess_in_a_later_run_does_not_erase_the_first(kept):
    for guess in (1, 2):
        predict.commit("q99.1", "?", guess)
    assert [entry["guess"] for entry in kept()] == [1, 2]


def test_comparing_something_never_asked_is_fine(kept, capsys):
    predict.compare("q99.7", 3)
    assert "no guess to compare with" in capsys.readouterr().out


def test_a_guess_that_cannot_be_kept_is_refused(kept):
    with pytest.raises(UsageError, match="a number, a text or a list"):
        predict.commit("q99.1", "?", object())


def test_guesses_live_in_the_work_folder_of_the_checkout(monkeypatch):
    monkeypatch.delenv("RABBIT_LAB_WORK", raising=False)
    assert predict.path().parts[-2:] == ("work", "predictions.jsonl")
    assert (predict.path().parents[1] / "pyproject.toml").exists()


def test_guesses_and_lab_files_share_one_folder(kept, tmp_path):
    predict.commit("q99.1", "?", 1)
    assert len(kept()) == 1
    assert progress.file_of(1).parent == predict.path().parent == tmp_path / "work"


@pytest.mark.parametrize(("right", "word"), [(np.bool_(True), "yes"), (False, "not yet")])
def test_what_the_reader_tried_is_judged_and_kept(kept, capsys, right, word):
    predict.your_turn("q99 share", "Which prefetch?", 24, right=right, because="it got 24")
    assert capsys.readouterr().out == f"Which prefetch?\n24: {word}, it got 24.\n"
    (entry,) = kept()
    assert (entry["key"], entry["guess"], entry["right"]) == ("q99 share", 24, bool(right))
