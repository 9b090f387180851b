"""The deck in Anki's own backend: imported, reviewed, imported anew."""

import dataclasses

import pytest

from helpers.machine import packages
from helpers.machine.paths import ROOT
from practice import anki, deck

pytestmark = pytest.mark.slow
EARLIER, LATER = 1_700_000_000, 1_800_000_000


@pytest.fixture(scope="module", autouse=True)
def backend():
    packages.ensure(ROOT / "requirements-anki.lock")


@pytest.fixture
def collection(tmp_path):
    from anki.collection import Collection

    opened = Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cards():
    return list(deck.for_anybody(["q03", "q09"]))


@pytest.fixture
def imported(collection, tmp_path):
    """Return a function that imports cards as Anki does, and says what became of them."""
    from anki.import_export_pb2 import ImportAnkiPackageRequest

    def bring(cards, timestamp):
        file = tmp_path / "deck.apkg"
        anki.write(cards, file, timestamp=timestamp)
        options = collection._backend.get_import_anki_package_presets()
        request = ImportAnkiPackageRequest(package_path=str(file), options=options)
        log = collection.import_anki_package(request).log
        kinds = ("new", "updated", "duplicate", "conflicting", "missing_notetype")
        return {kind: len(getattr(log, kind)) for kind in kinds if getattr(log, kind)}

    return bring


def note(collection, card):
    (found,) = collection.find_notes(f'Id:"{card.id}"')
    return collection.get_note(found)


def changed(cards):
    """Return the cards, of which the first has another reason, as after an edit."""
    return [dataclasses.replace(cards[0], back="Another reason."), *cards[1:]]


def test_it_is_imported_once_however_often(collection, imported, cards):
    assert imported(cards, EARLIER) == {"new": len(cards)}
    assert imported(cards, EARLIER) == {"duplicate": len(cards)}
    assert imported(cards, LATER).get("new") is None
    assert collection.note_count() == collection.card_count() == len(cards)
    names = [entry.name for entry in collection.decks.all_names_and_ids()]
    parts = [name for name in names if "::" in name]
    assert [name.partition("::")[2][:3] for name in parts] == ["Q03", "Q09"]


def test_a_later_deck_updates_and_keeps_what_was_learned(collection, imported, cards):
    imported(cards, EARLIER)
    learned = note(collection, cards[0]).cards()[0]
    collection.decks.select(learned.did)
    learned.start_timer()
    from anki.scheduler.v3 import CardAnswer

    states = collection._backend.get_scheduling_states(learned.id)
    collection.sched.answer_card(
        collection.sched.build_answer(card=learned, states=states, rating=CardAnswer.EASY)
    )
    before = note(collection, cards[0]).cards()[0]
    assert before.ivl > 0
    assert imported(changed(cards), LATER)["updated"] >= 1
    after = note(collection, cards[0])
    assert "Another reason." in after["Back"]
    card = after.cards()[0]
    assert (card.ivl, card.due, card.reps) == (before.ivl, before.due, before.reps)


def test_without_a_later_date_nothing_would_be_updated(collection, imported, cards):
    """Why the deck has the date of its content: Anki updates only what is newer."""
    imported(cards, EARLIER)
    imported(changed(cards), EARLIER)
    assert "Another reason." not in note(collection, cards[0])["Back"]


def test_figures_come_with_it(collection, imported, cards):
    imported(cards, EARLIER)
    shown = {name for card in cards if (name := picture(note(collection, card)["Figure"]))}
    assert len(shown) >= 4
    assert all(collection.media.have(name) for name in shown)
    assert collection.media.check().missing == []


def picture(field: str) -> str:
    return field.partition('src="')[2].partition('"')[0]


def test_a_card_shows_question_and_answer(collection, imported, cards):
    imported(cards, EARLIER)
    for card in cards:
        rendered = note(collection, card).cards()[0].render_output()
        assert rendered.question_text.strip() and "{{" not in rendered.question_and_style()
        assert len(rendered.answer_text) > len(rendered.question_text)
    assert ".nightMode img" in note(collection, cards[0]).cards()[0].render_output().css
