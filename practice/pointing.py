"""Point from a learner's line to a key point. It only points: words alone prove nothing."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

WORD = re.compile(r"[a-z0-9_.+/'-]*[a-z0-9_]", re.IGNORECASE)
ALIKE = 0.85  # of a mistyped word: one wrong letter in seven


def points_to(text: str, patterns: Iterable[str]) -> bool:
    """Return whether a text has the words of a pattern, one after the other.

    Args:
        text: what somebody wrote.
        patterns: such as "unack*" or "round trip": words as `fnmatch` takes them; case does not
            matter, and a word of five letters or more may be mistyped.
    """
    words = _words(text)
    return any(_stands_in(pattern.lower().split(), words) for pattern in patterns)


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text.replace("\u2019", "'"))]


def _stands_in(pattern: list[str], words: list[str]) -> bool:
    starts = range(len(words) - len(pattern) + 1)
    return any(all(map(_is, words[n:], pattern)) for n in starts)


def _is(word: str, pattern: str) -> bool:
    if fnmatchcase(word, pattern):
        return True
    whole = len(pattern) >= 5 and not set(pattern) & set("*?[")
    return whole and bool(get_close_matches(word, [pattern], n=1, cutoff=ALIKE))
