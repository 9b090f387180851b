"""The student's version as a zip: ``make handout``.

It has the notebooks, the helpers, the briefs, and the checks that a learner runs. It has no
solution, no hidden case, no guide, nothing that grades or tests the graders.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from helpers.machine.paths import ROOT

TOP = (
    "Makefile", "requirements.txt", "requirements.lock", "pyproject.toml", "docker-compose.yml",
)  # fmt: skip
TREES = ("helpers", "notebooks", "monitoring", "docker", "docs", "labs")
# Below labs/: what stays with the instructor.
INSTRUCTORS = (
    "README.md",
    "judge/instructor/*",
    "lab*/guide.md", "lab*/hidden.py", "lab*/correct/*", "lab*/wrong/*",
)  # fmt: skip
KINDS = (
    ".py", ".ipynb", ".md", ".json", ".css", ".csv", ".png", ".yml", ".conf", ".txt", ".lock",
    ".sh",
)  # fmt: skip
FOLDER = "rabbit-lab"
WELCOME = Path(__file__).with_name("students.md")


def files(root: Path = ROOT) -> Iterator[Path]:
    """Yield what students get, relative to ``root``."""
    for name in TOP:
        if (root / name).exists():
            yield Path(name)
    for tree in TREES:
        for path in sorted((root / tree).rglob("*")):
            relative = path.relative_to(root)
            hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
            known = path.suffix in KINDS or path.name == "Dockerfile"
            if path.is_file() and known and not hidden and not is_instructors(relative):
                yield relative


def is_instructors(path: Path) -> bool:
    """Tell whether a file, relative to the root, stays with the instructor."""
    if path.parts[0] != "labs":
        return False
    below = PurePosixPath(*path.parts[1:])
    return any(below.match(pattern) for pattern in INSTRUCTORS)


def write(target: Path, root: Path = ROOT) -> int:
    """Write the zip and return how many files are in it.

    Args:
        target: the zip file.
        root: the checkout.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(WELCOME, f"{FOLDER}/README.md")
        names = list(files(root))
        for name in names:
            archive.write(root / name, f"{FOLDER}/{name.as_posix()}")
    return len(names) + 1
