"""Results that need a service: measured, kept by `make notebooks`, shown where it is missing."""

import json
import re
from types import SimpleNamespace

import pandas as pd
import pytest

from helpers import stored
from helpers.errors import ServiceMissingError, UsageError
from helpers.services import missing, postgresql
from helpers.suite.notebooks import find, refresh
from helpers.suite.notebooks.running import read
from tests.support.tiny_notebooks import CHECK, CHECK_TAG, checkout, code, save

__all__ = ["checkout"]

LACK = "There is no Database here: get one."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "FOLDER", tmp_path / "results")
    monkeypatch.delenv(stored.COLLECT, raising=False)
    return tmp_path / "results"


def service(lack=None):
    return SimpleNamespace(NAME="Database", missing=lambda: lack, version=lambda: "15.1")


def measure():
    frame = pd.DataFrame({"cents": [100, 200], "by": ["key", "check"]}, index=["a", "b"])
    return {"cents": {2: 200, 4: 400}, "frame": frame, "pair": (1, 2), "big": frame["cents"].max()}


def same(one, other):
    frames = one.pop("frame"), other.pop("frame")
    pd.testing.assert_frame_equal(*frames)
    return one == other


def test_measured_and_stored_results_are_alike(folder, shared_broker, capsys):
    with stored.collecting() as keep:
        now = stored.result("q99-test", measure, service=service())
        keep()
    assert now.as_of == ""
    assert repr(now) == "Result(measured now)"
    assert capsys.readouterr().out == ""
    kept = json.loads((folder / "q99-test.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", kept["date"])
    assert kept["versions"] == f"Database 15.1 and RabbitMQ {shared_broker.version}"
    then = stored.result("q99-test", lambda: 1 / 0, service=service(LACK))
    assert then.as_of == f"{kept['date']} with {kept['versions']}"
    assert capsys.readouterr().out == f"{LACK} Shown instead: the result of {then.as_of}.\n"
    assert now.value["cents"] == {"2": 200, "4": 400}
    assert now.value["pair"] == [1, 2]
    assert same(now.value, then.value)


def test_nothing_is_kept_unless_asked(folder):
    stored.result("q99-test", measure, service=service())
    with stored.collecting():
        stored.result("q99-test", measure, service=service())
    assert not folder.exists()


def test_without_service_and_result_there_is_one_sentence(folder):
    with pytest.raises(ServiceMissingError, match=r"get one\. There is no stored result"):
        stored.result("q99-none", measure, service=service(LACK))


def test_a_result_that_cannot_be_stored(folder):
    with pytest.raises(UsageError, match="'q99-test' cannot be stored: object is no number"):
        stored.result("q99-test", object, service=service())


@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_result_of_the_notebooks_is_stored(path):
    for cell in read(path).cells:
        for name in re.findall(r"stored\.result\(\s*\"([^\"]+)\"", cell.source):
            kept = json.loads((path.parent / "results" / f"{name}.json").read_text())
            assert set(kept) == {"date", "versions", "value"}


def test_tags_tell_which_service_is_needed(monkeypatch):
    monkeypatch.setattr(postgresql, "missing", lambda: LACK)
    assert missing(["experiment", "needs-postgresql"]) == LACK
    assert missing(["experiment"]) is None


def test_a_refresh_without_the_service_keeps_the_notebook(checkout, monkeypatch, capsys):
    check = CHECK.format(1).replace("expect=", 'stored="2026-01-31 with Database 15.1", expect=')
    need = code("check-q02-1", f"from helpers import claims\ncopies = 40\n{check}", CHECK_TAG)
    need.metadata["tags"] += ["needs-postgresql"]
    path = save(checkout, need)
    before = path.read_bytes()
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert not refresh([path])
    assert "q02.1 needs a service that is missing" in capsys.readouterr().out
    assert path.read_bytes() == before
