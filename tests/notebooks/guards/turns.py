"""Guard of the places where it is the reader's turn."""

from collections import Counter

from tests.notebooks.guards.book import Book
from tests.support.turns import turns

LEAST = 3


def has_turns(book: Book) -> list[str]:
    found, wrong = turns(book.nb)
    if len(found) + len(wrong) < LEAST:
        wrong.append(f"it is the reader's turn {len(found)} times, not at least {LEAST}")
    keys = Counter(turn.key for turn in found)
    wrong += [f"two turns have the key {key}" for key, number in keys.items() if number > 1]
    wrong += [
        f"the key {key} does not begin with {book.question}"
        for key in keys
        if not key.startswith(f"{book.question} ")
    ]
    return wrong
