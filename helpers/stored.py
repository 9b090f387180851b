"""Results of optional services: measured if the service is available, else read from a file.

``make notebooks`` keeps each under ``notebooks/results/``, with its date and versions.
"""

import datetime
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import broker
from helpers.errors import ServiceMissingError, UsageError
from helpers.machine import files
from helpers.machine.paths import ROOT
from helpers.services import Service

FOLDER = ROOT / "notebooks" / "results"
COLLECT = "RABBIT_LAB_STORE"  # the folder in which `make notebooks` collects what is measured
FRAME = "DataFrame"


@dataclass(frozen=True, repr=False)
class Result:
    """A value; ``as_of`` is "" if it was measured now, else the day and versions of the file."""

    value: Any
    as_of: str

    def __repr__(self) -> str:
        """Return one line."""
        return f"Result({self.as_of or 'measured now'})"


def result(name: str, measure: Callable[[], object], *, service: Service) -> Result:
    """Measure with a service; without it, print what is missing and return the stored result.

    Args:
        name: the result's own name, like "q05-postgresql".
        measure: measures and returns numbers, texts, lists, dicts or DataFrames of these; keys
            become str and tuples lists, so that both ways give the same.
        service: the module of the service, such as ``helpers.services.postgresql``.

    Returns:
        The result. Give its ``as_of`` to ``claims.check(…, stored=…)``: what is merely stored has
        not been checked now.

    Raises:
        ServiceMissingError: the service is absent, and there is no stored result.
        UsageError: ``measure`` returns what cannot be stored.
    """
    reason = service.missing()
    if reason is None:
        try:
            value = json.dumps(measure(), default=_encode, indent=1)
        except TypeError as error:
            raise UsageError(f"the result {name!r} cannot be stored: {error}") from None
        if folder := os.environ.get(COLLECT):
            _write(Path(folder) / f"{name}.json", value, service)
        return Result(json.loads(value, object_hook=_decode), "")
    try:
        kept = json.loads((FOLDER / f"{name}.json").read_text(), object_hook=_decode)
    except OSError:
        raise ServiceMissingError(f"{reason} There is no stored result {name!r} either.") from None
    as_of = f"{kept['date']} with {kept['versions']}"
    print(f"{reason} Shown instead: the result of {as_of}.")
    return Result(kept["value"], as_of)


@contextmanager
def collecting() -> Iterator[Callable[[], None]]:
    """Collect the results that kernels started in this block measure.

    Yields:
        A function that puts them into ``notebooks/results/``; without its call they are dropped.
    """
    with tempfile.TemporaryDirectory() as folder:

        def keep() -> None:
            for path in sorted(Path(folder).glob("*.json")):
                FOLDER.mkdir(parents=True, exist_ok=True)
                files.write(FOLDER / path.name, path.read_bytes())

        before = os.environ.get(COLLECT)
        os.environ[COLLECT] = folder
        try:
            yield keep
        finally:
            os.environ.pop(COLLECT)
            if before is not None:
                os.environ[COLLECT] = before


def _write(path: Path, value: str, service: Service) -> None:
    name = f"{service.NAME} {service.version()}".rstrip()
    versions = f"{name} and RabbitMQ {broker.find().version}"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    content = {"date": today, "versions": versions, "value": json.loads(value)}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _encode(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        parts = value.to_dict("split")
        return {FRAME: {part: parts[part] for part in ("index", "columns", "data")}}
    if hasattr(value, "item"):  # one of numpy's numbers
        return value.item()
    raise TypeError(f"{type(value).__name__} is no number, text, list, dict or DataFrame")


def _decode(content: dict[str, Any]) -> Any:
    if set(content) == {FRAME}:
        import pandas as pd

        return pd.DataFrame(**content[FRAME])
    return content
