"""Finding a browser, and what is said where there is none."""

import pytest

from helpers.machine import chromium
from helpers.machine.apt import AptError


def no_browser(monkeypatch, *, why_not: str | None = None) -> list[str]:
    monkeypatch.setattr(chromium, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(chromium.apt, "why_not", lambda: why_not)
    installed: list[str] = []
    monkeypatch.setattr(chromium.apt, "install", lambda *packages: installed.extend(packages))
    return installed


def test_without_a_browser_one_sentence_says_what_to_install(monkeypatch):
    installed = no_browser(monkeypatch, why_not="installing needs root")
    with pytest.raises(chromium.BrowserMissingError, match=r"\(installing needs root\): install"):
        chromium.find()
    assert installed == []


def test_where_it_is_possible_the_browser_is_installed(monkeypatch, tmp_path, capsys):
    installed = no_browser(monkeypatch)
    with pytest.raises(chromium.BrowserMissingError, match="yet no browser starts"):
        chromium.find()
    assert installed == list(chromium.PACKAGES)
    assert "Installing Debian's chromium" in capsys.readouterr().out
    found = tmp_path / "no-such-browser"

    def install(*_: str) -> None:
        found.write_text("#!/bin/sh\nexit 0\n")
        found.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium.apt, "install", install)
    assert chromium.find() == str(found)


def test_a_failing_installation_is_told(monkeypatch):
    def fails(*_: str) -> None:
        raise AptError("`apt-get install chromium` failed")

    no_browser(monkeypatch)
    monkeypatch.setattr(chromium.apt, "install", fails)
    with pytest.raises(AptError, match="chromium"):
        chromium.find()
