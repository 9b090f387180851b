"""The interview drills: what is read from a notebook."""

import pytest
from nbformat import v4

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
