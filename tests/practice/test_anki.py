"""The deck for Anki, as far as it can be judged without Anki: tests/slow has its importer."""

import subprocess
import zipfile

import pytest

from helpers import __main__ as command_line
from helpers import predict
from practice import anki, deck, material, state
from practice.cards import Card, Choice, Number


def test_the_same_cards_give_the_same_bytes(cards, tmp_path, monkeypatch):
    chosen = [card for card in cards if card.question == "q09"]
    first, second = tmp_path / "a.apkg", tmp_path / "b.apkg"
    assert anki.write(chosen, first, timestamp=1_700_000_000) == len(chosen)
    monkeypatch.setattr("time.time", lambda: 1_900_000_000.0)
    anki.write(chosen, second, timestamp=1_700_000_000)
    assert first.read_bytes() == second.read_bytes()


def test_what_anki_knows_earlier_decks_by_never_changes():
    """Another number would double a learner's notes; another field would keep them as they are."""
    assert (anki.MODEL, anki.DECKS, anki.SEED) == (1_764_547_200, 1_764_547_300, "rabbit-lab")
    assert anki.FIELDS == ("Id", "Front", "Back", "Figure", "Own", "Spare")


def test_figures_have_flat_names_of_their_own_and_belong_to_a_claim():
    figures = anki._figures()
    assert len(figures) >= 20 and set(figures) <= set(material.claims())
    assert all(name.startswith(f"rabbit-lab-{claim[:3]}-") for claim, (name, _) in figures.items())
    assert all(content.startswith(b"\x89PNG") for _, content in figures.values())
    assert figures["q09.3"][0] == "rabbit-lab-q09-uneven-run.png"


def test_markdown_becomes_html_and_nothing_in_it_is_html():
    assert anki._html("a `b < c` and\n\n```python\nx < 1\n```") == (
        "<p>a <code>b &lt; c</code> and</p>\n"
        '<pre><code class="language-python">x &lt; 1\n</code></pre>'
    )
    assert "<script" not in anki._html("<script>alert(1)</script>")
    assert anki._html("[q09.1](#cell-id=x) and [a page](https://www.rabbitmq.com/docs)") == (
        '<p>q09.1 and <a href="https://www.rabbitmq.com/docs">a page</a></p>'
    )


def test_front_and_back():
    choice = Card("q09.x", "verdict", "", "Which?", Choice(("a", "b"), "b"), "So.", ("q09.1",))
    assert anki._front(choice) == "<p>Which?</p><ol><li><p>a</p></li><li><p>b</p></li></ol>"
    assert anki._back(choice) == "<div class=right><p>b</p></div><p>So.</p>"
    number = Card("q09.x", "probe", "senior", "How many?", Number(60.0, "messages"), "So.", (), "I")
    assert anki._back(number) == "<p class=right>60 messages</p><p>So.</p>"
    verdict = material.claims()["q09.1"].verdict
    kind = "holds-if" if verdict.startswith("holds if") else verdict
    assert list(anki._tags(choice)) == ["q09", "verdict", kind]
    assert list(anki._tags(number)) == ["q09", "probe", "senior", "own"]


def test_the_command_has_a_learners_own_cards(learner, capsys):
    predict.commit("q09.3", "How many?", 15)
    predict.compare("q09.3", 60)
    assert command_line.main(["anki", "q09"]) == 0
    number = len(deck.every_card(["q09"]))
    assert f"is written: {number} notes. In Anki: File" in capsys.readouterr().out
    with zipfile.ZipFile(state.path().with_name("rabbit-lab.apkg")) as packed:
        assert "collection.anki2" in packed.namelist()
    assert command_line.main(["anki", "q77"]) == 2


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(anki, "ROOT", tmp_path / "checkout")
    page = anki.ROOT / "notebooks" / "q01.ipynb"
    page.parent.mkdir(parents=True)
    page.write_text("{}")
    return page


def test_its_date_is_that_of_the_newest_commit_on_its_content(checkout, learner, monkeypatch):
    def git(*arguments: str) -> None:
        monkeypatch.setenv("GIT_COMMITTER_DATE", "1700000000 +0000")
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", anki.ROOT, *who, *arguments], check=True, capture_output=True)

    without_git = int(checkout.stat().st_mtime)
    assert anki.changed() == without_git
    git("init")
    git("add", ".")
    git("commit", "-m", "x")
    assert anki.changed() == 1_700_000_000
    checkout.write_text("{} ")
    assert anki.changed() == int(checkout.stat().st_mtime) >= without_git
