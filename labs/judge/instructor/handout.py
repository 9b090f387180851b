"""Write the students' version as a zip: ``make handout``.

It has the notebooks, the helpers, the briefs, and the checks that a learner runs. It has no
solution, no hidden case, no guide, and nothing that grades or proves the checks. The book is beside
them when it was built; nothing is installed or built here.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from helpers.machine.files import write as write_file
from helpers.machine.paths import ROOT, shown

TOP = (
    "LICENSE", "Makefile", "requirements.txt", "requirements.lock", "pyproject.toml",
    "docker-compose.yml", "requirements-book.txt", "requirements-book.lock",
)  # fmt: skip
TREES = ("book", "helpers", "notebooks", "monitoring", "docker", "docs", "labs", "practice")
# Files that students do not get.
INSTRUCTORS = (
    "docs/instructors.md", "notebooks/start.md",  # that page is the learner's own
    "labs/README.md",
    "labs/judge/instructor/*",
    "labs/lab*/guide.md", "labs/lab*/hidden.py", "labs/lab*/correct/*", "labs/lab*/wrong/*",
)  # fmt: skip
KINDS = (
    ".py", ".ipynb", ".md", ".json", ".css", ".csv", ".png", ".yml", ".conf", ".txt", ".lock",
    ".sh", ".toml", ".js", ".html",
)  # fmt: skip
FOLDER, BOOK = "rabbit-lab", "rabbit-lab-book"
SOURCES = (
    "notebooks/*.ipynb",
    "labs/*/brief.ipynb",
    "docs/*",
)  # what the book's pages are made from
WELCOME = Path(__file__).with_name("students.md")


def files(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files of the students' version, relative to ``root``."""
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
    """Return whether a file, relative to the root, is for the instructor alone."""
    return any(PurePosixPath(path).match(pattern) for pattern in INSTRUCTORS)


def why_no_book(book: Path, root: Path = ROOT) -> str:
    """Return why a folder's book cannot be handed out; "" when it can.

    Args:
        book: where `make book` puts the learners' edition.
        root: the checkout.
    """
    edition = book / "edition.txt"
    if not edition.is_file() or edition.read_text(encoding="utf-8") != "learners\n":
        return f"there is no book for learners in {shown(book)}"
    built_s = edition.stat().st_mtime
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            if path.stat().st_mtime > built_s:
                return f"the book in {shown(book)} is older than {path.relative_to(root)}"
    return ""


def write(target: Path, root: Path = ROOT, *, book: Path | None = None) -> int:
    """Write the zip, and return its number of files.

    Args:
        target: the zip file.
        root: the checkout.
        book: folder of a book that goes beside the checkout.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(WELCOME, f"{FOLDER}/README.md")
        names = list(files(root))
        for name in names:
            archive.write(root / name, f"{FOLDER}/{name.as_posix()}")
        pages = [path for path in sorted(book.rglob("*")) if path.is_file()] if book else []
        for path in pages:
            archive.write(path, f"{BOOK}/{path.relative_to(book or path).as_posix()}")
    write_file(target, content.getvalue())
    return len(names) + len(pages) + 1
