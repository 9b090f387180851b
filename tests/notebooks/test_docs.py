"""The pages and the files for GitHub agree with the repository."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from ruamel.yaml import YAML

from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import GENERATIONS
from labs.judge.instructor import handout

GITHUB = ROOT / ".github"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "labs/README.md", "labs/*/guide.md", ".github/*.md")
    for path in ROOT.glob(pattern)
)
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = [path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
}
MOST_LINES = 150
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
MAKE = re.compile(r"(?:^|\s)make (?:[A-Z]+=\S+ )*([a-z][a-z-]+)", re.MULTILINE)
PLACE = re.compile(
    r"(?:book|helpers|labs|tests|docs|notebooks|docker|monitoring|\.github|\.ci)/\S*"
)
VARIABLE = re.compile(r"\bRABBIT_LAB_[A-Z_]+\b")
# Set by one part of the suite for another.
INTERNAL = {"RABBIT_LAB_IN_COMPOSE", "RABBIT_LAB_NODE", "RABBIT_LAB_STORE", "RABBIT_LAB_TURNS"}
CODE_TREES = ("book", "helpers", "labs", "practice", "tests")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_of(text: str) -> Iterator[str]:
    """Yield the blocks and spans of code of a page."""
    for _, _, block in FENCE.findall(text):
        yield block
    yield from SPAN.findall(FENCE.sub("", text))


def prose_of(text: str) -> str:
    return SPAN.sub("", FENCE.sub("", text))


def anchors_of(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def parse(path: Path) -> Any:
    return YAML(typ="safe").load(read(path))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", read(ROOT / "Makefile"), re.MULTILINE))


def test_the_readme_is_short():
    assert len(read(ROOT / "README.md").splitlines()) <= MOST_LINES


def leads_somewhere(link: str, page: Path) -> bool:
    address, _, anchor = link.partition("#")
    if "://" in address:
        return True
    target = page.parent / address if address else page
    if not anchor or target.suffix != ".md":
        return target.exists()
    return target.exists() and anchor in anchors_of(read(target))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_between_pages_leads_to_a_file_and_a_heading(page: Path):
    links = LINK.findall(prose_of(read(page)))
    assert [link for link in links if not leads_somewhere(link, page)] == []


def test_links_of_the_students_readme_are_in_their_version():
    text = read(handout.WELCOME)
    links = LINK.findall(prose_of(text))
    given = {path.as_posix() for path in handout.files()}
    assert {link.partition("#")[0] for link in links} <= given
    assert [link for link in links if not leads_somewhere(link, ROOT / "README.md")] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_on_a_page_is_a_target(page: Path):
    named = {name for code in code_of(read(page)) for name in MAKE.findall(code)}
    assert named - targets() == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_on_a_page_exists(page: Path):
    spans = SPAN.findall(FENCE.sub("", read(page)))
    named = [span for span in spans if PLACE.fullmatch(span) and "NAME" not in span]
    assert [span for span in named if not list(ROOT.glob(as_pattern(span)))] == []


def as_pattern(place: str) -> str:
    """Return a glob of a path in which NN, slug and … stand for anything."""
    return re.sub(r"NN|slug|…", "*", place).rstrip("/")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_a_workflow_calls_targets_of_make_only(workflow: Path):
    called = set()
    for job in parse(workflow)["jobs"].values():
        matrix = job.get("strategy", {}).get("matrix", {})
        called |= set(matrix.get("target", ()))
        for step in job["steps"]:
            called |= set(MAKE.findall(step.get("run", "")))
    assert called and called <= targets()


def test_the_notebooks_run_on_an_image_of_each_generation():
    matrix = parse(GITHUB / "workflows" / "generations.yml")["jobs"]["notebooks"]["strategy"]
    assert set(matrix["matrix"]["rabbitmq"]) >= set(GENERATIONS)


def test_the_page_on_brokers_has_every_variable():
    paths = [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("labs/judge/**/*.py")]
    used = {name for path in paths for name in VARIABLE.findall(read(path))}
    named = set(VARIABLE.findall(read(ROOT / "docs" / "brokers.md")))
    assert used - INTERNAL == named


def test_the_pages_on_containers_have_every_variable_of_compose():
    used = set(re.findall(r"\$\{(\w+)", read(ROOT / "docker-compose.yml")))
    text = "".join(read(ROOT / "docs" / name) for name in ("containers.md", "instructors.md"))
    assert {re.sub(r"_[23]_", "_1_", name) for name in used} <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_for_github_have_its_form(schema: str):
    # Two seconds of imports, and only this test needs them.
    from check_jsonschema.builtin_schemas import get_builtin_schema
    from jsonschema.validators import validator_for

    form = get_builtin_schema(schema)
    validator = validator_for(form)(form)
    assert SCHEMAS[schema]
    for path in SCHEMAS[schema]:
        assert [error.message for error in validator.iter_errors(parse(path))] == [], path.name


# The plan of the folders ------------------------------------------------------------------------


def plan() -> list[str]:
    """Return the folders that the architecture page names, without their descriptions."""
    section = read(ROOT / "docs" / "architecture.md").partition("## Folders\n")[2]
    block = FENCE.search(section)
    assert block
    return [line.split()[0].rstrip("/") for line in block[3].splitlines()]


def folders() -> list[str]:
    """Return the folders that the plan has to name: at the top, or with Python files."""
    ignored = [line.rstrip("/") for line in read(ROOT / ".gitignore").splitlines()]
    tops = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    files = [path for tree in CODE_TREES for path in (ROOT / tree).rglob("*.py")]
    names = {name_of(path) for path in [*tops, *(path.parent for path in files)]}
    return sorted(
        name
        for name in names
        if not any(part.match(one) for part in parts_of(name) for one in ignored)
    )


def parts_of(name: str) -> list[PurePosixPath]:
    return [PurePosixPath(part) for part in name.split("/")]


def is_named(folder: str, entry: str) -> bool:
    """Tell whether an entry of the plan, in which * stands for one name, is this folder."""
    return folder.count("/") == entry.count("/") and PurePosixPath(folder).match(entry)


def test_the_plan_names_every_folder():
    entries = plan()
    unnamed = [name for name in folders() if not any(is_named(name, entry) for entry in entries)]
    assert unnamed == []


def test_the_plan_names_only_folders_that_exist():
    entries = plan()
    assert [entry for entry in entries if not any(p.is_dir() for p in ROOT.glob(entry))] == []
    assert entries == sorted(entries), "folders are in the order of the alphabet"


def test_tests_of_helpers_mirror_helpers():
    mirrored = [path.name for path in (ROOT / "tests" / "helpers").iterdir() if path.is_dir()]
    there = [path.name for path in (ROOT / "helpers").iterdir() if path.is_dir()]
    assert set(mirrored) <= set(there)
