"""The interview drills: what is read from a notebook, and how they are asked."""

import io

import pytest
from nbformat import v4

from helpers import __main__ as command_line
from helpers.errors import UsageError
from helpers.suite import drill
from helpers.suite.notebooks import find
from tests.support.tiny_notebooks import code, prose

TEXT = """## Interview drill

### Two-minute answer

"A queue is a *line*.

It is kept."

### Follow-ups

<details><summary>[junior] What is <b>it</b>?</summary>

A line.

- one

</details>

<details>
<summary>[staff] Why?</summary>
Because.
</details>

### Common wrong answers

| what people say | what is wrong | refuted by |
|---|---|---|
| "It is a bus." | It isn't `a \\| b`. | q02.1, q03.12 |
"""


def parse(text: str) -> drill.Drill:
    cells = [
        prose("# Q2 · What?"),
        prose(text),
        code("code", "## Interview drill"),
        prose("## End"),
    ]
    return drill.parse(v4.new_notebook(cells=cells), "q02_tiny.ipynb")


def test_a_drill_is_read():
    found = parse(TEXT + "\n### More\n\nElsewhere.")
    assert repr(found) == "Drill(q02, follow_ups=2, wrong_answers=1)"
    assert found.two_minute_answer == '"A queue is a *line*.\n\nIt is kept."'
    assert found.follow_ups == (
        drill.FollowUp("junior", "What is <b>it</b>?", "A line.\n\n- one"),
        drill.FollowUp("staff", "Why?", "Because."),
    )
    assert found.wrong_answers == (
        drill.WrongAnswer('"It is a bus."', "It isn't `a | b`.", ("q02.1", "q03.12")),
    )


def test_a_drill_may_be_spread_over_cells_and_ends_with_its_section():
    first, second = TEXT.split("### Follow-ups")
    cells = [prose("# Q2 · What?"), prose(first)]
    cells += [prose("### Follow-ups" + second), prose("## Clean-up\n\n### No part")]
    nb = v4.new_notebook(cells=cells)
    assert drill.parse(nb, "q02_tiny.ipynb") == parse(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("## Interview drill", "## Drill", r"has the headings \[\]; it must begin with"),
        ("### Follow-ups", "### Questions", "has the headings"),
        ('"A queue is a *line*.\n\nIt is kept."', "", "no text under Two-minute answer"),
        ("[staff]", "[expert]", r"the level \[expert\], not one of junior, senior, staff"),
        ("[staff] Why?", "Why?", "has a follow-up that is not <details>"),
        ("</details>\n\n###", "\n\n###", "has a follow-up that is not <details>"),
        ("Because.", "", "a follow-up without an answer: 'Why\\?'"),
        ("<details>\n<summary>[staff]", "Some text <summary>[staff]", "'Some text"),
        ("It isn't `a \\| b`.", "", "not a row of three cells"),
        ("| q02.1, q03.12 |", "|", "not a row of three cells|names no claim"),
        ("q02.1, q03.12", "it is", "last column names no claim"),
    ],
)
def test_another_form_is_refused_in_one_sentence_that_names_the_notebook(old, new, what):
    assert old in TEXT
    with pytest.raises(UsageError, match=rf"^q02_tiny\.ipynb: the interview drill .*({what})"):
        parse(TEXT.replace(old, new))


@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_notebook_has_a_drill_that_can_be_read(path):
    found = drill.read(path)
    assert found.question == path.name[:3]
    assert len(found.follow_ups) >= 8
    assert {card.level for card in found.follow_ups} == set(drill.LEVELS)
    assert len(found.wrong_answers) >= 5


def test_cards_are_chosen_by_level():
    found = parse(TEXT)
    heads = [card.head for card in drill.cards_of(found)]
    assert heads == ["Q02 · two minutes", "Q02 · junior", "Q02 · staff", "Q02 · wrong"]
    assert drill.cards_of(found)[0].asked == "What?"
    assert [card.asked for card in drill.cards_of(found, "staff")] == ["Why?"]
    (wrong,) = drill.cards_of(found, "wrong")
    assert wrong.asked == 'A candidate says: "It is a bus." What do you reply?'
    assert wrong.answer == "It isn't `a | b`. (q02.1, q03.12)"


def asked(monkeypatch, capsys, keys: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))
    drill.ask(drill.cards_of(parse(TEXT)))
    return capsys.readouterr().out


def test_enter_shows_the_answer_and_goes_on(monkeypatch, capsys):
    printed = asked(monkeypatch, capsys, "\n" * 7)
    assert printed.index("What?") < printed.index("A queue is a *line*")
    assert printed.index("Why?") < printed.index("Because.") < printed.index("It isn't")
    assert "2 of 4" in printed


def test_q_ends_before_an_answer_and_between_questions(monkeypatch, capsys):
    assert "A queue is" not in asked(monkeypatch, capsys, "q\n")
    printed = asked(monkeypatch, capsys, "\nQ\n")
    assert "It is kept." in printed
    assert "2 of 4" not in printed


def test_without_a_terminal_it_says_how(monkeypatch, capsys):
    printed = asked(monkeypatch, capsys, "")
    assert printed.endswith("The input has ended: --all prints everything without asking.\n")


def test_the_command_prints_everything_in_order(capsys):
    name = find()[0].name[:3]
    assert command_line.main(["drill", name, "--all"]) == 0
    printed = capsys.readouterr().out
    found = drill.read(find()[0])
    places = [printed.index(card.question[:40]) for card in found.follow_ups]
    assert places == sorted(places)
    assert max(map(len, printed.splitlines())) <= drill.WIDTH
    assert command_line.main(["drill", name, "--all", "--level", "senior"]) == 0
    printed = capsys.readouterr().out
    assert "· senior" in printed
    assert "· staff" not in printed


def test_the_command_asks_in_a_random_or_the_notebooks_order(monkeypatch, capsys):
    monkeypatch.setattr(drill.random, "shuffle", lambda cards: cards.reverse())
    first = []
    for arguments in ([], ["--ordered"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
        assert command_line.main(["drill", find()[0].stem, *arguments]) == 0
        first.append(capsys.readouterr().out.split("· ")[1].split()[0])
    assert first == ["wrong", "two"]


def test_the_command_refuses_what_is_not_there(monkeypatch, capsys):
    assert command_line.main(["drill", "q99"]) == 2
    assert "there is no notebook 'q99'" in capsys.readouterr().err
    monkeypatch.setattr("helpers.suite.notebooks.find", lambda names: [])
    assert command_line.main(["drill"]) == 2
    assert "nothing to ask" in capsys.readouterr().err
