"""A path of plain characters leads to any folder, and nobody else can put another one there."""

import os
from pathlib import Path

import pytest

from helpers.machine import plain_paths
from helpers.machine.plain_paths import PLAIN, drop_plain_path, plain_path


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Return a folder with a blank and an umlaut; links to it are made below ``tmp_path``."""
    (tmp_path / "links").mkdir()
    monkeypatch.setattr(plain_paths, "PLACES", (tmp_path / "nowhere", tmp_path / "links"))
    folder = tmp_path / "a b" / "ü"
    folder.mkdir(parents=True)
    return folder


def links(odd: Path) -> list[Path]:
    return list((odd.parents[1] / "links").glob("*/*"))


def test_a_plain_path_stays_as_it_is(tmp_path):
    assert plain_path(tmp_path) == tmp_path


def test_an_odd_path_gets_one_link_that_goes_with_it(odd):
    link = plain_path(odd)
    assert PLAIN.fullmatch(str(link))
    assert link.samefile(odd)
    assert link.parent.stat().st_mode & 0o077 == 0
    assert plain_path(odd) == link
    assert links(odd) == [link]
    drop_plain_path(odd)
    assert links(odd) == []


def test_links_to_folders_that_are_gone_are_removed(odd):
    plain_path(odd)
    other = odd.with_name("ö")
    odd.rename(other)
    link = plain_path(other)
    assert links(odd) == [link]


def test_a_folder_that_others_may_write_is_not_used(odd):
    foreign = odd.parents[1] / "links" / f"rabbit-lab-{os.geteuid()}"
    foreign.mkdir()
    foreign.chmod(0o777)
    assert plain_path(odd) == odd
