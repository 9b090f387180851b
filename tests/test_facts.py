"""Sentences that repeat a fact agree with its one source.

The number of notebooks and labs comes from the files, the generations of RabbitMQ from one
constant. For a text that cannot be built from them, a failure here says what it has to be.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.errors import UsageError
from helpers.machine import paths
from helpers.machine.paths import ROOT
from helpers.rabbitmq import generations
from helpers.rabbitmq.generations import GENERATIONS, generation_of, listed

FOLDERS = (
    ".github", "book", "docker", "docs", "helpers", "labs", "monitoring", "notebooks", "practice",
    "tests",
)  # fmt: skip
SUFFIXES = {".py", ".md", ".toml", ".txt", ".yml", ".ipynb", ".j2"}
FIRST = 5  # smaller numbers may count some of them: "two notebooks"
WORDS = ("five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen")
COUNTED = re.compile(
    rf"\b({'|'.join(WORDS)})\s+(interview\s+questions|questions|notebooks|labs)\b", re.IGNORECASE
)
VERSION = r"\d+\.\d+(?!\.?\d)"


def texts() -> Iterator[tuple[Path, str]]:
    """Yield the files of the checkout in which a sentence may stand; not those of a learner."""
    for path in [*ROOT.iterdir(), *(path for name in FOLDERS for path in (ROOT / name).rglob("*"))]:
        if path.is_file() and (path.suffix in SUFFIXES or path.name == "Makefile"):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def wrong_counts(text: str) -> list[str]:
    """Return the numbers of notebooks and labs in a text that are not those of the files."""
    wrong = []
    for match in COUNTED.finditer(text):
        counted = WORDS.index(match[1].lower()) + FIRST
        there = len(paths.labs() if match[2].lower() == "labs" else paths.notebooks())
        if counted != there:
            wrong.append(f"{match[0]!r}: there are {there}")
    return wrong


def wrong_lists(text: str) -> list[str]:
    """Return the lists of generations in a text, of three or more, that are not the current one."""
    oldest = re.escape(generations.GENERATIONS[0])
    lists = re.compile(rf'\b{oldest}(?:["`]?,?(?:\s+and)?\s+["`]?{VERSION}){{2,}}')
    return [
        f"{match[0]!r}: the generations are {listed()}"
        for match in lists.finditer(text)
        if tuple(re.findall(VERSION, match[0])) != generations.GENERATIONS
    ]


def test_every_number_of_notebooks_and_labs_is_that_of_the_files():
    wrong = [f"{path}: {line}" for path, text in texts() for line in wrong_counts(text)]
    assert not wrong, "\n".join(wrong)


def test_every_list_of_generations_is_the_current_one():
    wrong = [f"{path}: {line}" for path, text in texts() for line in wrong_lists(text)]
    assert not wrong, "\n".join(wrong)


def test_the_texts_are_read():
    names = {str(path) for path, _ in texts()}
    notebooks = {f"notebooks/{path.name}" for path in paths.notebooks().values()}
    assert names >= {"README.md", "Makefile", "docker-compose.yml", "pyproject.toml", *notebooks}


def test_the_default_image_of_compose_is_of_the_newest_generation():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    images = re.findall(r"\$\{RABBITMQ_IMAGE:-rabbitmq:([\d.]+)-management\}", text)
    assert images
    assert {generation_of(version) for version in images} == {GENERATIONS[-1]}


def test_a_wrong_number_is_named():
    there = len(paths.notebooks())
    right, wrong = WORDS[there - FIRST], WORDS[there - FIRST + 1]
    assert wrong_counts(f"{right.title()} interview questions; {right}\nnotebooks; two labs") == []
    assert wrong_counts(f"the {wrong} notebooks") == [f"'{wrong} notebooks': there are {there}"]


@pytest.mark.parametrize(
    "text",
    ["on 1.9, 1.10 and 2.0.", '"1.9", "1.10", "2.0"', "[1.9 1.10 2.0]", "1.9, 1.10,\nand 2.0"],
)
def test_a_list_that_lacks_a_generation_is_named(text, monkeypatch):
    monkeypatch.setattr(generations, "GENERATIONS", ("1.9", "1.10", "2.0"))
    assert wrong_lists(f"It runs {text}") == []
    assert wrong_lists("only 1.9 and 1.10 have it, and 1.9, 1.10: 2.0 does not") == []
    monkeypatch.setattr(generations, "GENERATIONS", ("1.9", "1.10", "2.0", "2.1"))
    (named,) = wrong_lists(f"It runs {text}")
    assert named.endswith(": the generations are 1.9, 1.10, 2.0 and 2.1")


def test_notebooks_and_labs_are_listed_by_number(tmp_path):
    for name in ("notebooks/q10_b.ipynb", "notebooks/q02_a.ipynb", "labs/lab11_c", "labs/judge"):
        (tmp_path / name).mkdir(parents=True)
    assert paths.notebooks(tmp_path) == {
        2: tmp_path / "notebooks" / "q02_a.ipynb", 10: tmp_path / "notebooks" / "q10_b.ipynb",
    }  # fmt: skip
    assert paths.labs(tmp_path) == {11: tmp_path / "labs" / "lab11_c"}
    (tmp_path / "labs" / "lab11_d").mkdir()
    with pytest.raises(UsageError, match="lab11_c and lab11_d have the same number"):
        paths.labs(tmp_path)
