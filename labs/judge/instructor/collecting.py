"""Find the submissions of a class in a folder, and list all else in it with its reason."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from helpers.errors import UsageError
from helpers.machine.paths import ROOT
from labs.judge import brief
from labs.judge.model import folder_of

NAMED = re.compile(r"(?:.*[_-])?lab(\d\d?)", re.IGNORECASE)  # a file's name without its suffix
ENDING = re.compile(r"[_-](?:lab\d\d?|brief|practice)$", re.IGNORECASE)  # after the learner's name
BIGGEST_BYTES = {".py": 1_000_000, ".ipynb": 20_000_000}  # by suffix; outputs make notebooks big
PRACTICE = re.compile(r"(.*[_-])?practice\.jsonl", re.IGNORECASE)
BIGGEST_PRACTICE_BYTES = 10_000_000  # some thirty years of ten minutes a day
HIDDEN = (".", "_")
MOST_FILES = 50  # beside a submission
DEEPEST = 20  # folders in a learner's folder
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Submission:
    """The code of one learner for one lab."""

    learner: str
    lab: int
    path: Path
    code: bytes = field(repr=False)  # of the file, or of the notebook's cell
    beside: tuple[Path, ...]  # Python files in its folder, which it may import
    digest: str  # of all that code, and of the code that judges it


@dataclass(frozen=True)
class Skipped:
    """Files of a learner that are not judged, and why."""

    learner: str
    lab: int | None  # the lab that has no grade for this reason, if it is known
    files: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        files = listed(self.files)
        where = "" if files in (self.learner, "") or files in self.reason else f" {files}:"
        return f"{self.learner}:{where} {self.reason}".removeprefix(": ")


@dataclass(frozen=True)
class _Found:
    """A file with code, and the lab that it names."""

    path: Path
    name: str  # in the learner's folder
    lab: int | None
    code: bytes = field(repr=False)


def collect(folder: Path, lab: int | None) -> tuple[list[Submission], list[Skipped]]:
    """Find all submissions in a folder.

    Args:
        folder: it holds a file or a folder for each learner, with the learner's name. In a
            learner's folder, ``lab03.py`` and ``…_lab03.ipynb`` name their lab, at any depth. A
            brief names its lab in its first cell.
        lab: grade this lab alone, and take files that name no lab for it; None: all labs.

    Returns:
        Submissions, in the order of learners and labs, and all that is not judged.

    Raises:
        UsageError: there is no submission.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: name the one with the submissions")
    entries: dict[str, list[Path]] = defaultdict(list)
    for entry in sorted(folder.iterdir()):
        entries[_learner(entry)].append(entry)
    collected: list[Submission] = []
    skipped: list[Skipped] = []
    for learner, places in entries.items():
        chosen, others = _of_learner(learner, places, lab)
        collected += chosen
        skipped += others
    if not collected:
        why = "".join(f"; {one}" for one in skipped[:5])
        raise UsageError(f"{folder} holds no submission: a file or a folder for each learner{why}")
    return collected, skipped


def practised(folder: Path) -> dict[str, Path]:
    """Return by learner the practice that was handed in beside the labs.

    Args:
        folder: as in `collect`: ``anna/practice.jsonl`` or ``anna_practice.jsonl``. Of two files of
            a learner the bigger one counts: events are only added.
    """
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        for path, reason in _walk(entry):
            if not reason and PRACTICE.fullmatch(path.name):
                name = _learner(entry)
                found[name] = max(found.get(name, path), path, key=lambda one: one.stat().st_size)
    return found


def _learner(entry: Path) -> str:
    """Return the name of the learner whose file or folder this is, or "" for none."""
    if entry.name.startswith(HIDDEN):
        return ""
    whole = entry.is_dir() and not entry.is_symlink()
    return _printable(entry.name if whole else ENDING.sub("", entry.stem))


def _of_learner(
    learner: str, places: Sequence[Path], lab: int | None
) -> tuple[list[Submission], list[Skipped]]:
    reasons: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    found: list[_Found] = []
    for place in places:
        for path, reason in _walk(place):
            name = _printable(str(path.relative_to(place)) if path != place else place.name)
            if PRACTICE.fullmatch(path.name) and not reason:
                continue
            try:
                if reason:
                    raise UsageError(reason)
                found.append(_read(path, name))
            except UsageError as error:
                reasons[None, str(error)].append(name)
    chosen = []
    for number, files in _by_lab(found, lab).items():
        try:
            chosen.append((_only(files, number, lab), number or lab or 0))
        except UsageError as error:
            reasons[number or lab, str(error)] += [file.name for file in files]
    if learner and not found:
        folders = [f"{place.name}/" for place in places if place.is_dir()]
        reasons[lab, "a folder without any code to judge"] += map(_printable, folders)
    submissions = []
    for file, number in sorted(chosen, key=lambda pair: pair[1]):
        beside = [
            other for other in found
            if other is not file and _is_python(other.path)
            and other.path.parent == file.path.parent and file.path not in places
        ][:MOST_FILES]  # fmt: skip
        submissions.append(_submission(learner, number, file, beside))
    used = {path for submission in submissions for path in (submission.path, *submission.beside)}
    told = {name for names in reasons.values() for name in names}
    for file in found:
        if file.path not in used and file.name not in told:
            reasons[None, "it names no lab, and another file does"].append(file.name)
    skipped = [
        Skipped(learner, number, tuple(names), reason)
        for (number, reason), names in reasons.items()
        if names
    ]
    return submissions, skipped


def _by_lab(found: Sequence[_Found], lab: int | None) -> dict[int | None, list[_Found]]:
    """Return the files for each lab; under None those that name none, if no file names one."""
    files: dict[int | None, list[_Found]] = defaultdict(list)
    for file in found:
        if file.lab is not None:
            files[file.lab].append(file)
    return files or ({None: list(found)} if found else {})


def _only(files: Sequence[_Found], number: int | None, lab: int | None) -> _Found:
    """Return the one file for a lab.

    Raises:
        UsageError: none of them can be chosen; the message says why.
    """
    many = NUMBERS[len(files)] if len(files) < len(NUMBERS) else str(len(files))
    names = listed([file.name for file in files])
    if number is None and len(files) > 1:
        raise UsageError(f"{many} files, {names}, and none is named lab{lab or 3:02d}.py")
    if number is None and lab is None:
        raise UsageError("it does not say for which lab it is: give LAB=, or name it lab03.py")
    if number is not None:
        folder_of(number)  # an error if there is no such lab
        if lab not in (None, number):
            raise UsageError(f"it is for lab {number}, and lab {lab} is graded")
        if len(files) > 1:
            raise UsageError(f"{many} files for lab {number}, {names}, and only one can count")
    return files[0]


def _walk(place: Path, depth: int = 0) -> Iterator[tuple[Path, str]]:
    """Yield each file at or below a place, and why it cannot be a submission, or ""."""
    try:
        if reason := _why_not(place, depth):
            yield place, reason
        elif place.is_dir():
            for below in sorted(place.iterdir()):
                yield from _walk(below, depth + 1)
        else:
            yield place, ""
    except OSError as error:
        yield place, f"it cannot be read: {error.strerror}"


def _why_not(path: Path, depth: int) -> str:
    folder = path.is_dir()
    if path.is_symlink():
        return "a symbolic link, which is not followed"
    if path.name.startswith(HIDDEN if folder or not depth else "."):
        return "hidden: its name begins with a dot or an underscore"
    if folder:
        return f"more than {DEEPEST} folders deep" if depth > DEEPEST else ""
    practice = bool(PRACTICE.fullmatch(path.name))
    most = BIGGEST_PRACTICE_BYTES if practice else BIGGEST_BYTES.get(path.suffix.lower())
    if most is None or not path.is_file():
        return "neither a Python file nor a notebook"
    size = path.stat().st_size
    if size > most:
        return f"it has {size / 1e6:.1f} MB, and at most {most / 1e6:g} MB are read"
    return ""


def _is_python(path: Path) -> bool:
    return path.suffix.lower() == ".py"


def _read(path: Path, name: str) -> _Found:
    """Return a file with its code.

    Raises:
        UsageError: it cannot be read, or has no code for a lab; the message says why.
    """
    try:
        code = path.read_bytes()
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}") from None
    match = NAMED.fullmatch(path.stem)
    number = int(match[1]) if match else None
    if not _is_python(path):
        source, begun = brief.handed_in(code.decode("utf-8", "replace"))
        if None not in (number, begun) and number != begun:
            raise UsageError(f"its name says lab {number}, and its first cell lab {begun}")
        code, number = source.encode(errors="replace"), begun if begun is not None else number
        if len(code) > BIGGEST_BYTES[".py"]:
            raise UsageError(f"its cell has {len(code) / 1e6:.1f} MB, and at most 1 MB is read")
    return _Found(path, name, number, code)


def _submission(learner: str, number: int, file: _Found, beside: Sequence[_Found]) -> Submission:
    digest = hashlib.sha256(_digest_of_judges(number))
    for other in [file, *beside]:
        digest.update(f"{other.path.name} {len(other.code)} ".encode(errors="replace") + other.code)
    paths = tuple(other.path for other in beside)
    return Submission(learner, number, file.path, file.code, paths, digest.hexdigest())


@cache
def _digest_of_judges(number: int) -> bytes:
    judge = ROOT / "labs" / "judge"
    digest = hashlib.sha256()
    for file in sorted([*folder_of(number).glob("*.py"), *judge.rglob("*.py")]):
        if not file.is_relative_to(judge / "instructor"):
            digest.update(file.read_bytes())
    return digest.digest()


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return "a, b and c"; of many names the first, and how many more there are."""
    shown, more = list(names[:most]), len(names) - most
    last = f"{more} more" if more > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last


def _printable(name: str) -> str:
    """Return a file's name without what a terminal or UTF-8 cannot show."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "�" for letter in text)
