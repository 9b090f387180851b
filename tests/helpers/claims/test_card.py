"""A card says the same as HTML and as text, and needs no style."""

import re
import xml.etree.ElementTree as ET

import pytest
from nbval.plugin import get_sanitize_patterns

from helpers.claims.card import HEAD, HERE, Card, Row, without_here
from helpers.machine.paths import ROOT
from helpers.suite import checks
from helpers.suite.notebooks.cards import CARD

ROWS = (
    Row("one queue, ids < 10 & odd", "40 copies", "40 copies", "✓ as said"),
    Row("own queues", "at least 20 times", "below 5 times", "✗ not so", "4.3 times"),
    Row("the remedy", "", "0 lost", "· checked"),
)


def card(*rows: Row, note: str = "") -> Card:
    return Card(
        "q99.1", 'ids < 10 are "safe"', "holds if a < b", rows or ROWS, "40 & more, a < b.", note
    )


def parsed(shown: Card) -> ET.Element:
    html = shown._repr_html_().replace("<br>", "<br/>")
    return ET.fromstring(f"<div>{html}</div>")


@pytest.mark.parametrize("note", ["", "2026-01-31 with PostgreSQL <15>"])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]], ids=["some vary", "none varies"])
def test_html_says_the_same_words_as_the_text(rows, note):
    shown = card(*rows, note=note)
    html = " ".join(parsed(shown).itertext())
    text = re.sub("[|⟨⟩]", " ", repr(shown))
    assert sorted(html.replace("·", " ").split()) == sorted(text.replace("·", " ").split())


def test_html_is_well_formed_and_understood_without_styles():
    shown = card()
    root = parsed(shown)
    assert "style" not in {name for element in root.iter() for name in element.attrib}
    assert {element.tag for element in root.iter()} <= {
        "div", "p", "strong", "em", "br", "table", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
    assert "&lt; 10 &amp; odd" in shown._repr_html_()
    head, *rows = [list(row) for row in root.iter("tr")]
    assert tuple("".join(cell.itertext()) for cell in head) == HEAD
    for row in (head, *rows):
        inner = [cell.find("div") for cell in row]
        sides = [
            (cell if block is None else block).get("align")
            for cell, block in zip(row, inner, strict=True)
        ]
        assert sides == ["left", "right", "right", "left", "right"]


def test_the_column_of_what_varies_is_there_only_if_something_does():
    assert [cell.text for cell in parsed(card(ROWS[0])).iter("th")].count("measured here") == 0
    assert "⟨" not in repr(card(ROWS[0]))


def test_only_what_is_measured_here_is_left_out():
    def with_here(here: str, measured: str = "below 5 times") -> Card:
        return card(Row("own queues", "at least 20 times", measured, "✗ not so", here))

    for form in (repr, Card._repr_html_):
        left = without_here(form(with_here("4.3 times")))
        assert left == without_here(form(with_here("1 & 17 times")))
        assert left == without_here(left)
        assert left != without_here(form(with_here("4.3 times", "below 6 times")))


def test_nbval_leaves_out_the_same():
    file = ROOT / checks.SANITIZE.partition("=")[2]
    ((pattern, _),) = get_sanitize_patterns(file.read_text(encoding="ascii"))
    assert pattern == HERE.pattern
    assert checks.SANITIZE in checks.NBVAL


def test_a_card_is_read_from_its_text_unless_it_was_not_checked():
    match = CARD.fullmatch(repr(card()))
    assert match is not None
    assert match.groupdict() == {
        "id": "q99.1", "verdict": "holds if a < b", "evidence": "40 & more, a < b.",
    }  # fmt: skip
    assert CARD.fullmatch(repr(card(note="2026-01-31 with PostgreSQL 15.1"))) is None
