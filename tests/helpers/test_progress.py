from types import SimpleNamespace

import IPython
import IPython.display
import pytest

from helpers import progress


class Line:
    """What a notebook's front end would show."""

    def __init__(self):
        self.texts = []

    def update(self, text):
        self.texts.append(repr(text))


@pytest.fixture
def line(monkeypatch):
    shown = Line()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", lambda text, display_id: shown)
    return shown


def test_every_item_comes_through_and_is_counted(line):
    assert list(progress.track([5, 6], "settings measured")) == [5, 6]
    assert line.texts == [f"{n} of 2 settings measured" for n in (0, 1, 2)]


def test_without_a_length_only_the_count_is_shown(line):
    assert list(progress.track(iter("ab"), "read")) == ["a", "b"]
    assert line.texts == ["0 read", "1 read", "2 read"]


def test_an_interrupted_loop_keeps_the_last_count(line):
    with pytest.raises(KeyboardInterrupt):
        for item in progress.track([1, 2, 3], "done"):
            if item == 2:
                raise KeyboardInterrupt
    assert line.texts[-1] == "1 of 3 done"


def test_outside_a_notebook_nothing_is_shown(capsys):
    assert list(progress.track([1], "done")) == [1]
    assert capsys.readouterr().out == ""
