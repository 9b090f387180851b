"""How ``.venv`` is made, and what ``make`` does without one."""

import re
import shutil
import subprocess
import sys

import pytest

from helpers.machine.paths import ROOT
from helpers.suite import bootstrap
from helpers.suite.commands import COMMANDS, GROUPS
from tests.conftest import CHILD_TIMEOUT_S, child_environment


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a tiny checkout without requirements, which is set up without a network."""
    for name in bootstrap.INPUTS:
        (tmp_path / name).write_text("")
    monkeypatch.setattr(bootstrap, "STEPS", bootstrap.STEPS[:1])
    venv = tmp_path / ".venv"
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "STAMP", venv / ".ready")
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "bin" / "python")
    return tmp_path


@pytest.mark.slow
def test_venv_is_made_once_and_made_again_when_half_made(checkout, capfd, monkeypatch):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    assert bootstrap.main() == 0
    assert "Installing" in capfd.readouterr().out
    assert bootstrap.STAMP.exists()

    assert bootstrap.main() == 0
    assert capfd.readouterr().out == ""

    (checkout / "requirements.lock").write_text("no-such-folder/\n")
    assert bootstrap.main() == 1
    assert "error: installing the requirements failed" in capfd.readouterr().err
    assert not bootstrap.STAMP.exists()


def test_python_without_venv_is_told_how_to_get_it(checkout, capsys, monkeypatch):
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda name: None)
    assert bootstrap.main() == 1
    assert re.search(r"error: .* lacks its module venv: .*-venv", capsys.readouterr().err)


def test_venv_that_cannot_be_made(checkout, capsys, monkeypatch):
    monkeypatch.setattr(bootstrap, "_run", lambda command: 1)
    assert bootstrap.main() == 1
    assert "making .venv failed" in capsys.readouterr().err


def test_a_disk_that_is_full_is_one_sentence(checkout):
    setup = shutil.copytree(ROOT / "helpers" / "suite", checkout / "helpers" / "suite")
    (checkout / ".venv").write_text("")  # stands for any error of the file system
    command = [sys.executable, str(setup / "bootstrap.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"error: making \.venv failed: .*\.venv.*\n", done.stderr)


@pytest.mark.parametrize("home", ["/proc/none", "own"])
def test_without_a_home_nothing_is_kept_in_a_cache(home, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / home))  # "/proc/none" stays as it is
    without = {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}
    assert bootstrap.no_cache() == ({} if home == "own" else without)
    seen = tmp_path / "seen"
    command = ["sh", "-c", f'echo "$UV_NO_CACHE$PIP_NO_CACHE_DIR" > "{seen}"']
    assert bootstrap._run(command) == 0
    assert seen.read_text() == ("\n" if home == "own" else "11\n")


def make(*arguments, cwd, **variables):
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env=child_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )


@pytest.fixture
def bare_checkout(tmp_path):
    for name in ("Makefile", *bootstrap.INPUTS):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_make_without_a_python_says_so(bare_checkout):
    programs = bare_checkout / "bin"
    programs.mkdir()
    for name in ("make", "sh", "rm"):
        (programs / name).symlink_to(shutil.which(name))
    done = make("up", cwd=bare_checkout, PATH=str(programs))
    assert done.returncode != 0
    assert "error: this needs Python 3.11 or newer" in done.stderr


def test_make_makes_a_venv_that_was_moved_again(bare_checkout):
    # A stamp alone does not count: the Python behind it has to find this checkout.
    (bare_checkout / ".venv").mkdir()
    (bare_checkout / ".venv" / ".ready").touch()
    done = make("--dry-run", "up", cwd=bare_checkout)
    assert "helpers/suite/bootstrap.py" in done.stdout


def test_make_shows_its_targets_by_default(bare_checkout):
    done = make(cwd=bare_checkout)
    assert done.stdout == make("help", cwd=bare_checkout).stdout
    lines = done.stdout.splitlines()
    for row in COMMANDS.values():
        assert f"  make {row.name:<16} {row.sentence}" in lines
    for title in GROUPS.values():
        assert f"{title}:" in lines
    assert not (bare_checkout / ".venv").exists()


def test_makefile_and_the_table_of_commands_agree():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    groups = {title: group for group, title in GROUPS.items()}
    found = {}
    for part in text.split("\n##@ ")[1:]:
        for name, sentence, recipe in re.findall(r"^([a-z-]+):.* ## (.+)\n\t(.+)", part, re.M):
            found[name] = (groups[part.partition("\n")[0]], sentence)
            if name == "help":  # works without a .venv
                continue
            assert recipe.startswith(f"@$(RUN) {name}")
            variables = dict.fromkeys(re.findall(r"\$\(([A-Z]+)\)", recipe.partition(name)[2]))
            assert tuple(variables) == COMMANDS[name].takes
    assert found == {row.name: (row.group, row.sentence) for row in COMMANDS.values()}
    assert re.search(r"^\.PHONY: (.+)", text, re.M)[1].split() == list(COMMANDS)
