"""The table of commands, from which the list of commands and ``docs/commands.md`` are made."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import click

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from helpers.suite import exits

FILE = Path("docs") / "commands.md"
PROGRAM = "python -m helpers"
WIDTH = 88
NAMES = click.argument("names", metavar="[NAME]...", nargs=-1)
NOTEBOOKS = "NAME is the beginning of a notebook's file name, such as q09, or a path; none: all"
GROUPS = {
    "everybody": "For everybody",
    "instructors": "For instructors",
    "contributors": "For contributors",
}
INTRODUCTION = """\
# Commands

This page is written by `.venv/bin/python -m helpers help --write` from the table in
`helpers/suite/commands.py`; edits here are lost.

Each command is a target of `make`, which first makes `.venv` where it is missing. It passes its
variables on: LAB, FILE and DIR name what to work on, ARGS holds further words and
[options](#options). `.venv/bin/python -m helpers COMMAND` runs the same command without `make`.

A command ends with exit code 0 when all is well, 1 after a failure or an error, 2 after wrong
usage, and 130 after Ctrl-C."""


@dataclass(frozen=True)
class Command:
    """One command: a target of the Makefile and a word after ``python -m helpers``."""

    name: str
    group: str
    sentence: str  # what it does, as the Makefile has it behind ##
    where: str  # "module:attribute" of the click command
    takes: tuple[str, ...] = ()  # the variables of make that are passed on, in their order
    example: str = ""
    needs: str = ""  # a folder without which it cannot work; the students' copy lacks some


_BASICS = "helpers.suite.basics"
_NOTEBOOKS = "helpers.suite.notebooks.commands"
_INSTRUCTOR = "labs.judge.instructor"
_ROWS = (
    Command("help", "everybody", "show this list", f"{_BASICS}:show_help"),
    Command(
        "lab", "everybody", "open JupyterLab on the notebooks, with a live broker",
        "practice.commands:lab", ("ARGS",),
    ),
    Command(
        "check", "everybody", "judge your code for a lab; without LAB, show how all labs stand",
        "labs.judge.commands:check", ("LAB", "FILE", "ARGS"), "make check LAB=03",
    ),
    Command(
        "practice", "everybody", "ask what is due today: ten minutes for an interview",
        "practice.commands:practice", ("ARGS",), 'make practice ARGS="q03 --level senior"',
    ),
    Command(
        "interview", "everybody", "hold an interview of thirty minutes, with a score sheet",
        "practice.commands:interview", ("ARGS",), 'make interview ARGS="--level staff"',
    ),
    Command(
        "progress", "everybody", "show what you did, what is due, and what to do next",
        "practice.commands:show_progress",
    ),
    Command(
        "anki", "everybody", "write the cards as a deck for Anki",
        "practice.commands:write_anki", ("ARGS",), "make anki ARGS=q09",
    ),
    Command(
        "book", "everybody", "build a book to read without running anything",
        "book.commands:book", ("ARGS",), "make book ARGS=--print",
    ),
    Command(
        "notebooks", "everybody", "run the notebooks and store their outputs",
        f"{_NOTEBOOKS}:notebooks", ("ARGS",), "make notebooks ARGS=q02",
    ),
    Command(
        "up", "everybody", "find a broker or start one",
        f"{_BASICS}:up", ("ARGS",), "make up ARGS=--cluster",
    ),
    Command("down", "everybody", "stop the broker that was started here", f"{_BASICS}:down"),
    Command("status", "everybody", "show whether a broker runs, and where", f"{_BASICS}:status"),
    Command(
        "doctor", "everybody", "show what would keep the notebooks from running",
        f"{_BASICS}:examine",
    ),
    Command(
        "grade", "instructors", "judge the submissions of a class",
        f"{_INSTRUCTOR}.commands:grade", ("DIR", "LAB", "ARGS"),
        "make grade DIR=submissions/ LAB=03", needs="labs/judge/instructor",
    ),
    Command(
        "handout", "instructors", "write the students' version, without solutions, as a zip",
        f"{_INSTRUCTOR}.commands:write_handout", ("ARGS",), needs="labs/judge/instructor",
    ),
    Command(
        "labs-proof", "instructors", "prove the labs' checks on solutions with known verdicts",
        f"{_INSTRUCTOR}.commands:prove", ("LAB", "ARGS"), "make labs-proof LAB=03",
        needs="labs/judge/instructor",
    ),
    Command(
        "test", "contributors", "run lint, the tests and every notebook",
        f"{_BASICS}:test", needs="tests",
    ),
    Command(
        "test-slow", "contributors", "run what takes longer than make test",
        f"{_BASICS}:test_slow", needs="tests",
    ),
    Command("lint", "contributors", "run ruff and mypy", f"{_BASICS}:lint"),
    Command(
        "twice", "contributors", "run every notebook's cells twice, and its experiments again",
        f"{_BASICS}:twice", needs="tests",
    ),
    Command(
        "verdicts", "contributors", "run the notebooks and record their verdicts on this broker",
        f"{_NOTEBOOKS}:verdicts", ("ARGS",), "make verdicts ARGS=--stored",
    ),
    Command(
        "sabotage", "contributors", "break each claim on purpose: its check has to notice",
        "tests.slow.sabotage.runner:command", ("ARGS",), "make sabotage ARGS=q02",
        needs="tests/slow",
    ),
    Command(
        "mutants", "contributors", "flip each delivery decision: a claim has to notice",
        "tests.slow.mutants.runner:command", ("ARGS",), 'make mutants ARGS="q02 --list"',
        needs="tests/slow",
    ),
    Command(
        "test-browser", "contributors",
        "open the notebooks in JupyterLab and the book in a headless Chromium",
        "tests.slow.browser.command:command", ("ARGS",), "make test-browser ARGS=q02",
        needs="tests/slow",
    ),
    Command(
        "test-containers", "contributors", "run everything in containers, and break them (root)",
        "tests.slow.containers.command:command", ("ARGS",),
        'make test-containers ARGS="up inside"', needs="tests/slow",
    ),
    Command(
        "test-versions", "contributors",
        "run notebooks and solutions on each generation of RabbitMQ (root)",
        "tests.slow.versions.command:command", ("ARGS",),
        'make test-versions ARGS="4.0 --notebooks q04 --labs 3"', needs="tests/slow",
    ),
    Command(
        "bench", "contributors", "measure what the suite itself costs",
        "tests.slow.bench:command", ("ARGS",), "make bench ARGS=--quick", needs="tests/slow",
    ),
    Command(
        "lock", "contributors", "write the lock files anew from the requirements files",
        f"{_BASICS}:lock",
    ),
)  # fmt: skip
COMMANDS = {row.name: row for row in _ROWS}


def module(name: str) -> ModuleType:
    """Import a module of this checkout; its tests are not installed as the others are.

    Args:
        name: with dots.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module(name)


def load(row: Command) -> click.Command:
    """Import a command, and give it its sentence and example as help.

    Args:
        row: its row in the table.

    Raises:
        UsageError: this copy of the repository lacks the folder that the command needs.
    """
    if not (ROOT / row.needs).is_dir():
        raise UsageError(
            f"this copy has no {row.needs}/, which `{row.name}` needs: run it in the whole"
            " repository"
        )
    name, _, attribute = row.where.partition(":")
    command: click.Command = getattr(module(name), attribute)
    command.help = f"{row.sentence[0].upper()}{row.sentence[1:]}."
    if row.example:
        command.help += f"\n\n\b\nExample: {row.example}"
    return command


def page() -> str:
    """Return ``docs/commands.md``: the commands by group, then the options of each.

    Raises:
        UsageError: this copy of the repository lacks some of the commands.
    """
    parts = [INTRODUCTION]
    for group, title in GROUPS.items():
        parts.append(f"## {title}")
        lines = ["| command | what it does | example |", "|---|---|---|"]
        for row in COMMANDS.values():
            if row.group == group:
                example = f"`{row.example}`" if row.example else ""
                lines.append(f"| `make {row.name}` | {row.sentence} | {example} |")
        parts.append("\n".join(lines))
    parts.append("## Options")
    for row in COMMANDS.values():
        command = load(row)
        if command.params:
            name = f"{PROGRAM} {row.name}"
            context = click.Context(command, info_name=name, terminal_width=WIDTH, **exits.SETTINGS)
            parts.append(f"### {row.name}\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(parts) + "\n"
