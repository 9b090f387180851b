"""Write the cards as a deck for Anki, which updates itself when it is imported again.

Source: genanki 0.13.1; Anki's own importer, which `tests/slow/test_anki.py` asks.
"""

import base64
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path

import genanki
import mistune

from helpers import predict
from helpers.errors import RabbitLabError
from helpers.machine import files
from helpers.machine.paths import ROOT
from helpers.machine.run import run
from helpers.suite.notebooks import claim_ids, find
from helpers.suite.notebooks.running import read
from labs.judge import progress
from practice import material
from practice.cards import Card, Choice, Number

# These numbers and the fields never change: Anki knows the notes of an earlier deck by them.
MODEL, DECKS = 1_764_547_200, 1_764_547_300
FIELDS = ("Id", "Front", "Back", "Figure", "Own", "Spare")
SEED = "rabbit-lab"
CONTENT = ("notebooks", "docs", "labs", "practice", "tests/slow/sabotage")
SUFFIXES = (".ipynb", ".toml", ".json", ".py")
GIT_S = 20.0
CSS = """\
.card { font: 18px/1.45 system-ui, sans-serif; text-align: left; max-width: 42em; margin: 0 auto; }
pre { font: 14px/1.4 monospace; overflow-x: auto; padding: .6em; border-radius: 6px;
  background: rgba(128, 128, 128, .14); }
code { font-family: monospace; }
table { border-collapse: collapse; }
td, th { border: 1px solid rgba(128, 128, 128, .5); padding: .2em .5em; }
ol { list-style: lower-alpha; } li p { margin: .2em 0; } .right { font-weight: 600; }
.own { opacity: .7; font-size: .85em; } .nightMode a { color: #8ab4f8; }
hr { border: 0; border-top: 1px solid rgba(128, 128, 128, .5); }
img { max-width: 100%; } .nightMode img { background: #fff; border-radius: 6px; padding: 4px; }
"""
FRONT = "{{Front}}"
BACK = "{{FrontSide}}<hr id=answer>{{Back}}{{Figure}}{{#Own}}<p class=own>{{Own}}</p>{{/Own}}"


def write(cards: Iterable[Card], target: Path, *, timestamp: int | None = None) -> int:
    """Write a deck, with a part for each question, and return its number of notes.

    The same cards and timestamp give the same bytes.

    Args:
        cards: what the deck has.
        target: the ``.apkg`` file.
        timestamp: seconds since 1970 of the content; an import changes what an earlier deck
            brought only if this one is later. None: of `changed`.

    Raises:
        NotWrittenError: the disk is full, or the user may not write there.
    """
    model = genanki.Model(
        MODEL, "Rabbit Lab", fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card", "qfmt": FRONT, "afmt": BACK}], css=CSS,
    )  # fmt: skip
    decks: dict[str, genanki.Deck] = {}
    pictures: dict[str, bytes] = {}
    for card in cards:
        if card.question not in decks:
            title = material.drill_of(card.question).title
            name = f"Rabbit Lab::{card.question.upper()} {title}"
            decks[card.question] = genanki.Deck(DECKS + int(card.question[1:]), name)
        figure = next((found for name in card.claims if (found := _figures().get(name))), None)
        if figure:
            pictures[figure[0]] = figure[1]
        decks[card.question].add_note(genanki.Note(
            model, guid=genanki.guid_for(SEED, card.id), tags=list(_tags(card)),
            fields=[
                card.id, _front(card), _back(card),
                f'<img src="{figure[0]}">' if figure else "", escape(card.gap), "",
            ],
        ))  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="anki-") as folder:
        for name, content in pictures.items():
            Path(folder, name).write_bytes(content)
        package = genanki.Package(list(decks.values()), sorted(map(str, Path(folder).iterdir())))
        packed = Path(folder, "deck.apkg")
        package.write_to_file(
            packed, timestamp=float(changed() if timestamp is None else timestamp)
        )
        with files.writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, _without_clock(packed))
    return sum(len(deck.notes) for deck in decks.values())


def changed() -> int:
    """Return when the content of the cards changed last, in seconds since 1970.

    That is the date of the newest commit on it; where there is no git, or something is not
    committed, and for the learner's own guesses and labs, the newest time of a file.
    """
    own = [file for file in (predict.path(), progress.file()) if file.exists()]
    committed = _committed()
    if committed is None:
        paths = (ROOT / name for name in CONTENT)
        own += [
            file
            for path in paths
            for file in path.rglob("*")
            if file.suffix in (".ipynb", ".toml", ".json", ".py")
        ]
    return max([committed or 0, *(int(file.stat().st_mtime) for file in own)])


def _committed() -> int | None:
    """Return the date of the newest commit on the content, if all of it is committed."""
    git = ["git", "-C", str(ROOT)]
    try:
        dirty = run([*git, "status", "--porcelain", "--", *CONTENT], timeout_s=GIT_S)
        last = run([*git, "log", "-1", "--format=%ct", "--", *CONTENT], timeout_s=GIT_S)
    except RabbitLabError:
        return None
    known = not (dirty.returncode or last.returncode or dirty.stdout) and last.stdout.strip()
    return int(known) if known else None


def _without_clock(packed: Path) -> bytes:
    """Return a zip's bytes without the time at which its files were written."""
    plain = packed.with_suffix(".zip")
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry), zipfile.ZIP_DEFLATED)
    return plain.read_bytes()


@cache
def _figures() -> dict[str, tuple[str, bytes]]:
    """Return the name and the PNG of the figure that belongs to a claim, by the claim's id.

    It is the last one above the claim's cell in its section, with no other claim between them.
    """
    found = {}
    for path in find([]):
        last: tuple[str, bytes] | None = None
        for cell in read(path).cells:
            if cell.cell_type == "markdown" and cell.source.startswith("##"):
                last = None
            for output in cell.get("outputs", []):
                if "image/png" in output.get("data", {}):
                    name = f"rabbit-lab-{path.name[:3]}-{cell.id}.png"
                    last = name, base64.b64decode(output["data"]["image/png"])
            for claim in claim_ids(cell):
                if last:
                    found[claim] = last
                last = None
    return found


def _tags(card: Card) -> Iterator[str]:
    yield card.question
    yield card.kind.replace(" ", "-")
    if card.level:
        yield card.level
    if card.gap:
        yield "own"
    if card.kind == "verdict":
        verdict = material.claims()[card.claims[0]].verdict
        yield "holds-if" if verdict.startswith("holds if") else verdict


def _front(card: Card) -> str:
    options = card.wanted.options if isinstance(card.wanted, Choice) else ()
    items = "".join(f"<li>{_html(text)}</li>" for text in options)
    return _html(card.front) + (f"<ol>{items}</ol>" if items else "")


def _back(card: Card) -> str:
    if isinstance(card.wanted, Choice):
        right = f"<div class=right>{_html(card.wanted.right)}</div>"
    elif isinstance(card.wanted, Number):
        number = f"{card.wanted.value:g} {card.wanted.unit}".rstrip()
        right = f"<p class=right>{escape(number)}</p>"
    else:
        items = "".join(f"<li>{_html(point.says)}</li>" for point in card.wanted.points)
        right = f"<ul>{items}</ul>{_html(card.wanted.answer)}"
    return right + _html(card.back)


class _Renderer(mistune.HTMLRenderer):
    """Links to files of this checkout lead nowhere in Anki: their words stay."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, url, title) if url.startswith("https://") else text


_markdown = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table"])


def _html(markdown: str) -> str:
    return str(_markdown(markdown)).strip()
