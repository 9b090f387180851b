"""Record which cards were measured on which RabbitMQ, and when."""

import datetime
import fcntl
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from helpers.broker import Broker
from helpers.errors import UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT
from helpers.rabbitmq.generations import GENERATIONS, age, generation_of, not_recorded
from helpers.suite.notebooks.cards import Claim

FILE = Path("docs") / "verdicts.json"


@dataclass(frozen=True)
class Session:
    """The date and the versions of a run."""

    date: str
    rabbitmq: str
    erlang: str
    pika: str
    python: str


@dataclass(frozen=True, repr=False)
class Record:
    """The cards of one notebook's run on one generation."""

    session: Session
    claims: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Record({self.session.date}, {self.session.rabbitmq}, claims={len(self.claims)})"


Records = dict[str, dict[str, Record]]  # generation, then question such as "q02"


@contextmanager
def writing(root: Path = ROOT) -> Iterator[None]:
    """Change the files in ``docs/`` in one process at a time; others wait.

    Args:
        root: the checkout.
    """
    folder = root / FILE.parent
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def this_session(broker: Broker) -> Session:
    """Return the session of a run that begins now.

    Args:
        broker: the broker that it runs on.
    """
    return Session(
        date=datetime.date.today().isoformat(),
        rabbitmq=broker.version,
        erlang=broker.erlang,
        pika=importlib.metadata.version("pika"),
        python=platform.python_version(),
    )


def load(root: Path = ROOT) -> Records:
    """Return all recorded runs; empty before the first one.

    Args:
        root: the checkout, whose ``docs/verdicts.json`` is read.

    Raises:
        UsageError: the file has another form.
    """
    file = root / FILE
    if not file.exists():
        return {}
    try:
        return {
            name: {question: _record(**entry) for question, entry in entries.items()}
            for name, entries in json.loads(file.read_text(encoding="utf-8")).items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{FILE} is no record of runs ({error}): delete it, `make verdicts` makes a new one"
        ) from error


def save(records: Records, root: Path = ROOT) -> None:
    """Write the record of runs, sorted by generation and question.

    Args:
        records: all runs; they replace those in the file.
        root: the checkout.
    """
    plain = {
        name: {
            question: {**asdict(record.session), "claims": list(record.claims)}
            for question, record in sorted(records[name].items())
        }
        for name in sorted(records, key=age)
    }
    (root / FILE).parent.mkdir(exist_ok=True)
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    files.write(root / FILE, text + "\n")


def add(question: str, claims: Sequence[Claim], session: Session, root: Path = ROOT) -> None:
    """Record a run of one notebook, in place of an earlier one on the same generation.

    Args:
        question: the notebook's question, such as "q02".
        claims: the claims that it measured.
        session: its date and versions.
        root: the checkout.
    """
    records = load(root)
    records.setdefault(generation_of(session.rabbitmq), {})[question] = Record(
        session, tuple(claim.text for claim in claims)
    )
    save(records, root)


def columns(measured: Iterable[str]) -> list[str]:
    """Return the generations of a table's columns, oldest first.

    Args:
        measured: the generations of the runs; a table has a column for each of them.
    """
    return sorted({*GENERATIONS, *measured}, key=age)


def note(measured: Iterable[str]) -> str:
    """Return a sentence on the generations that a table has beyond the recorded ones.

    Args:
        measured: the generations of the runs.

    Returns:
        A sentence such as "4.4: not recorded, compared with 4.3."; "" when all are recorded.
    """
    notes = [text for name in columns(measured) if (text := not_recorded(name))]
    return f"{'; '.join(notes)}." if notes else ""


def _record(claims: list[str], **session: str) -> Record:
    return Record(Session(**session), tuple(claims))
