"""Tables of words."""

import pandas as pd

from helpers import tables

SENTENCE = "a sentence of more than fifty characters, as most of the claims on trial are"


def test_long_text_is_shown_in_full_and_left_aligned():
    frame = pd.DataFrame({"claim": ["q02.1"], "sentence": [SENTENCE], "n": [1]}).set_index("claim")
    shown = tables.of_words(frame)[["sentence"]]
    assert SENTENCE in repr(shown)
    html = shown._repr_html_()
    assert f"{SENTENCE}</td>" in html
    assert "<td>" not in html and "<th>" not in html
    assert SENTENCE not in frame._repr_html_()


def test_it_is_the_same_frame():
    frame = pd.DataFrame({"n": [1, 2], "word": ["a", "b"]})
    assert tables.of_words(frame).equals(frame)
    assert list(tables.of_words(frame).dtypes) == list(frame.dtypes)
