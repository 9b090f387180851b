"""Rules about imports: floors, no circle, and what a notebook may use."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from helpers.machine.paths import ROOT

TREES = ("book", "helpers", "labs", "practice", "tests")
SOLUTIONS = ("correct", "wrong")  # folders of submissions, each a program of its own

# A module may import from its own floor and from lower ones; the longest prefix of its name counts.
FLOORS = {
    "helpers.errors": 0,
    "helpers.waits": 0,
    "helpers.machine": 1,
    "helpers.rabbitmq": 2,
    "helpers.broker": 3,
    "helpers": 4,  # the notebooks' words: the top, claims, metrics, plots, services
    "helpers.suite": 5,
    "helpers.classroom": 5,
    "helpers.__main__": 6,
}
FACE = ("helpers.broker", "helpers.claims", "helpers.metrics", "helpers.plots", "helpers.services")
OWN = {"brief.ipynb": "labs.judge.brief", "interview.ipynb": "practice.interview"}

Graph = Mapping[str, Iterable[str]]  # the modules that each module imports


def sources() -> dict[str, str]:
    """Return the code of each module of the project, by its dotted name."""
    return {
        _dotted(path): path.read_text(encoding="utf-8")
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
        if path.parent.name not in SOLUTIONS
    }


def graph(code: Mapping[str, str]) -> Graph:
    """Return which of the modules in ``code`` each of them imports, at its top or in a function."""
    return {
        module: {found for name in imported(text) if (found := _nearest(name, code)) is not None}
        for module, text in code.items()
    }


def imported(code: str) -> Iterator[str]:
    """Yield the dotted name of everything that ``code`` imports: "a.b" for ``from a import b``."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows_up(modules: Graph) -> list[str]:
    """Return a sentence for each import from a higher floor."""
    return [
        f"{module} imports {other}: an arrow up"
        for module, other in _arrows(modules)
        if module.startswith("helpers") and other.startswith("helpers")
        if _floor(other) > _floor(module)
    ]


def out_of_helpers(modules: Graph) -> list[str]:
    """Return a sentence for each import of labs or tests in helpers."""
    return [
        f"{module} imports {other}: helpers must not depend on {other.partition('.')[0]}"
        for module, other in _arrows(modules)
        if module.startswith("helpers") and not other.startswith("helpers")
    ]


def under_the_book(modules: Graph) -> list[str]:
    """Return a sentence for each import of the book by what it stands on."""
    return [
        f"{module} imports {other}: the book stands on top"
        for module, other in _arrows(modules)
        if other.partition(".")[0] == "book" and module.partition(".")[0] not in ("book", "tests")
    ]


def circle(modules: Graph) -> str:
    """Return an import circle as "a imports b imports a", or "" if there is none."""
    try:
        TopologicalSorter(modules).prepare()
    except CycleError as error:
        return " imports ".join(reversed(error.args[1]))
    return ""


def beyond_the_face(notebook: str, code: str) -> list[str]:
    """Return a sentence for each import that a notebook must not use.

    Args:
        notebook: its path; a brief may also import `labs.judge.brief`, and so on: see ``OWN``.
        code: of its cells.
    """
    may = OWN.get(Path(notebook).name, "nothing")
    return [
        f"{notebook} imports {name}: of the project, notebooks use the top of helpers, broker,"
        f" metrics, plots and services"
        for name in imported(code)
        if name.partition(".")[0] in TREES and not _in_face(name) and name != may
    ]


def _in_face(name: str) -> bool:
    parts = name.split(".")[:2]
    at_the_top = parts[0] == "helpers" and (ROOT / "helpers" / f"{parts[-1]}.py").exists()
    return ".".join(parts) in FACE or (at_the_top and not parts[-1].startswith("_"))


def _arrows(modules: Graph) -> Iterator[tuple[str, str]]:
    for module, others in modules.items():
        for other in sorted(others):
            yield module, other


def _floor(module: str) -> int:
    return next(FLOORS[name] for name in _prefixes(module) if name in FLOORS)


def _nearest(name: str, modules: Iterable[str]) -> str | None:
    return next((prefix for prefix in _prefixes(name) if prefix in modules), None)


def _prefixes(name: str) -> Iterator[str]:
    """Yield "a.b.c", "a.b", "a"."""
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(len(parts), 0, -1))


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
