"""The browser check's own judgement, without a browser: `make test-browser` shows the rest."""

import dataclasses
import subprocess

import nbformat
import pytest
from nbformat import v4

from helpers.machine.apt import AptError
from tests.slow.browser import bad, prepare
from tests.slow.browser.judge import Seen, judge, leaves_the_machine, stored_figures

GOOD = Seen(cells=3, numbered=3, figures=2)


def test_a_good_notebook_passes():
    assert judge(GOOD, figures=2) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"figures": 1}, "1 figures, 2 are stored"),
        ({"figures": 3}, "3 figures, 2 are stored"),
        ({"numbered": 2}, "2 of 3 code cells ran to their end"),
        ({"cells": 0, "numbered": 0}, "no code cells were shown"),
        ({"red": ["\ncareful\nmore"]}, "an error, or text on stderr: careful"),
        ({"red": [""]}, "an error, or text on stderr: (blank)"),
        (
            {"red": ["-----\nTraceback (most recent call last)\nKeyError: 'x'\n"]},
            "an error output: KeyError: 'x'",
        ),
        (
            {"outside": ["https://b/", "https://b/"]},
            "a request that leaves the machine: https://b/",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_named(change, complaint):
    assert judge(dataclasses.replace(GOOD, **change), figures=2) == [complaint]


def test_what_has_to_be_printed_is_looked_for():
    seen = dataclasses.replace(GOOD, printed="a BROKEN\nb holds")
    assert judge(seen, figures=2, says="BROKEN") == []
    assert judge(seen, figures=2, says="All") == ["no cell printed 'All'"]


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        ("http://127.0.0.1:8888/lab", False),
        ("ws://localhost:8888/api", False),
        ("http://[::1]:8888/", False),
        ("data:image/png;base64,AAAA", False),
        ("blob:http://127.0.0.1/1", False),
        ("https://cdn.example/x.js", True),
        ("wss://127.0.0.1.example/", True),
        ("http://10.0.0.1/", True),
    ],
)
def test_only_loopback_stays_on_the_machine(url, leaves):
    assert leaves_the_machine(url) is leaves


def test_stored_figures_are_counted(tmp_path):
    figure = v4.new_output("display_data", {"image/png": "AAAA"})
    text = v4.new_output("stream", name="stdout", text="x")
    cells = [v4.new_code_cell("", outputs=[figure, text, figure]), v4.new_markdown_cell("x")]
    assert stored_figures(v4.new_notebook(cells=cells)) == 2
    for path in bad.write_all(tmp_path / "bad").values():
        nbformat.validate(nbformat.read(path, as_version=4))


def no_browser(monkeypatch, *, why_not: str | None = None) -> list[str]:
    monkeypatch.setattr(prepare, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(prepare.apt, "why_not", lambda: why_not)
    installed: list[str] = []
    monkeypatch.setattr(prepare.apt, "install", lambda *packages: installed.extend(packages))
    return installed


def test_without_a_browser_one_sentence_says_what_to_install(monkeypatch):
    installed = no_browser(monkeypatch, why_not="installing needs root")
    with pytest.raises(prepare.BrowserMissingError, match=r"\(installing needs root\): install"):
        prepare.browser()
    assert installed == []


def test_where_it_is_possible_the_browser_is_installed(monkeypatch, tmp_path, capsys):
    installed = no_browser(monkeypatch)
    with pytest.raises(prepare.BrowserMissingError, match="yet no browser starts"):
        prepare.browser()
    assert installed == list(prepare.PACKAGES)
    assert "Installing Debian's chromium" in capsys.readouterr().out
    found = tmp_path / "no-such-browser"

    def install(*_: str) -> None:
        found.write_text("#!/bin/sh\nexit 0\n")
        found.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prepare.apt, "install", install)
    assert prepare.browser() == str(found)


def test_a_failing_installation_is_told(monkeypatch):
    def fails(*_: str) -> None:
        raise AptError("`apt-get install chromium` failed")

    no_browser(monkeypatch)
    monkeypatch.setattr(prepare.apt, "install", fails)
    with pytest.raises(AptError, match="chromium"):
        prepare.browser()


def test_the_library_is_installed_once_and_in_its_pinned_version(monkeypatch, capsys):
    calls: list[list[object]] = []

    def run(command: list[object], *, check: bool) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess([], len(calls) - 1)

    wanted = prepare.REQUIREMENTS.read_text().split()[-1]
    monkeypatch.setattr(prepare.subprocess, "run", run)
    monkeypatch.setattr(prepare.importlib.metadata, "version", lambda name: wanted.split("==")[1])
    prepare.library()
    assert calls == []
    monkeypatch.setattr(prepare.importlib.metadata, "version", lambda name: "0.1")
    prepare.library()
    assert calls[0][-2:] == ["--requirement", prepare.LOCK]
    with pytest.raises(prepare.BrowserMissingError, match="failed; the reason stands above"):
        prepare.library()
    assert f"Installing {wanted}" in capsys.readouterr().out
