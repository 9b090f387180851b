"""The picture in the README is what an interview prints."""

from tests.practice import picture


def test_it_shows_what_is_printed_now():
    assert picture.FILE.read_text(encoding="utf-8") == picture.svg(picture.session()), (
        "write it anew: python -m tests.practice.picture"
    )


def test_a_tick_is_taken_back_and_no_line_is_too_long():
    lines = picture.session().splitlines()
    assert lines[-1] == "Your tick is taken back."
    assert max(map(len, lines)) <= picture.COLUMNS
