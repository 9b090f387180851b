"""Make a book: stage its sources, let Sphinx write it, check its links, and put it in its place."""

import io
import os
import re
import shutil
import tempfile
from pathlib import Path

from book import links
from book.staging import Stage
from helpers.errors import RabbitLabError, UsageError
from helpers.machine import files
from helpers.machine.paths import shown

HERE = Path(__file__).parent
EDITION = "edition.txt"
LEARNERS, INSTRUCTORS = "learners", "instructors"
MOST_SHOWN = 40
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
LEFT_OUT = (".buildinfo", "objects.inv", "_sources", "genindex.html")
COLOURS = {"color-foreground-muted": "#595f6b", "color-foreground-border": "#6b7280"}
DARK = {"color-foreground-muted": "#a3aab5", "color-foreground-border": "#8b949e"}
OPTIONS = {
    "project": "Rabbit Lab",
    "language": "en",
    "extensions": ["myst_nb", "book.extension"],
    "root_doc": "index",
    "html_theme": "furo",
    "html_theme_options": {"light_css_variables": COLOURS, "dark_css_variables": DARK},
    "html_static_path": [str(HERE / "static")],
    "templates_path": [str(HERE / "templates")],
    "html_css_files": ["book.css"],
    "html_js_files": [("book.js", {"defer": "defer"})],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_show_copyright": False,
    "html_use_index": False,
    "html_domain_indices": False,
    "highlight_language": "text",
    "smartquotes": False,  # a claim's sentence is shown letter for letter
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["dollarmath", "deflist"],
    "myst_heading_anchors": 4,
    # Links are checked afterwards; code that is no valid text of its language is shown as it is.
    "suppress_warnings": ["myst.xref_missing", "misc.highlighting_failure"],
}


class BookError(RabbitLabError):
    """The book cannot be built as it should be; the message says why."""


def build(target: Path, *, instructors: bool) -> int:
    """Build a book in place of an older one.

    Args:
        target: its folder; it is made, or holds a book.
        instructors: whether it has what is for instructors alone.

    Returns:
        The number of links between its pages.

    Raises:
        UsageError: the folder holds something else.
        BookError: Sphinx warns, or a link leads nowhere.
        NotWrittenError: the disk is full, or the user may not write there.
    """
    if target.exists() and (not target.is_dir() or _holds_other(target)):
        raise UsageError(f"{shown(target)} holds something that is no book: name another folder")
    with files.writing(target), tempfile.TemporaryDirectory() as scratch:
        target.parent.mkdir(parents=True, exist_ok=True)
        sources, built = Path(scratch, "sources"), Path(scratch, "book")
        Stage(sources, instructors=instructors).write()
        _run_sphinx(sources, built, Path(scratch, "doctrees"), instructors)
        followed, wrong = links.check(built)
        if wrong:
            raise BookError(_listed("links lead nowhere", wrong))
        fresh = target.with_name(f".{target.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(built, fresh)
        shutil.rmtree(target, ignore_errors=True)
        fresh.replace(target)
    return followed


def edition(folder: Path) -> str:
    """Return which edition a folder holds: "learners" or "instructors"; "" for no book."""
    file = folder / EDITION
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _holds_other(folder: Path) -> bool:
    return any(folder.iterdir()) and not edition(folder)


def _run_sphinx(sources: Path, built: Path, doctrees: Path, instructors: bool) -> None:
    from sphinx.application import Sphinx

    warnings = io.StringIO()
    title = "Rabbit Lab, instructors' edition" if instructors else "Rabbit Lab"
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    app = Sphinx(
        sources, None, built, doctrees, "html",
        confoverrides={**OPTIONS, "html_title": title}, status=None, warning=warnings,
    )  # fmt: skip
    app.build()
    if wrong := COLOUR.sub("", warnings.getvalue()).replace(f"{sources}/", "").splitlines():
        raise BookError(_listed("warnings of Sphinx", wrong))
    for name in LEFT_OUT:
        path = built / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    name = INSTRUCTORS if instructors else LEARNERS
    (built / EDITION).write_text(f"{name}\n", encoding="utf-8")


def _listed(what: str, sentences: list[str]) -> str:
    more = [f"… and {len(sentences) - MOST_SHOWN} more"] if len(sentences) > MOST_SHOWN else []
    lines = "\n".join([*sentences[:MOST_SHOWN], *more])
    return f"the book has {len(sentences)} {what}:\n{lines}"
