"""One SQL on both databases."""

import threading

import pytest

from helpers.errors import UsageError
from helpers.ledgers import new_ledger, open_ledger
from helpers.services import postgresql
from helpers.waits import wait_until

TABLES = ["charges (id TEXT PRIMARY KEY, cents INTEGER)"]
INSERT = "INSERT INTO charges VALUES (:id, :cents) ON CONFLICT DO NOTHING"
EVENT = {"id": "a", "cents": 100, "account": "ada"}
BOTH = [
    "SQLite",
    pytest.param(
        "PostgreSQL",
        marks=pytest.mark.skipif(
            postgresql.missing() is not None, reason=str(postgresql.missing())
        ),
    ),
]


def rows(place):
    with open_ledger(place) as db:
        return db.execute("SELECT id, cents FROM charges WHERE id = :id", EVENT).fetchall()


@pytest.mark.parametrize("database", BOTH)
def test_the_same_statements_work_on_both(database):
    with new_ledger(TABLES, on=database) as place:
        with open_ledger(place) as db:
            assert db.execute(INSERT, EVENT).rowcount == 1
            db.rollback()
            assert db.execute(INSERT, EVENT).rowcount == 1
            db.commit()
            assert db.execute(INSERT, EVENT | {"cents": 1}).rowcount == 0
        assert rows(place) == [("a", 100)]
    with new_ledger(TABLES, on=database) as place:
        assert rows(place) == []


@pytest.mark.parametrize("database", BOTH)
def test_uncommitted_changes_are_lost_and_block_others(database):
    with new_ledger(TABLES, on=database) as place, open_ledger(place) as first:
        first.execute(INSERT, EVENT)
        done = threading.Event()

        def second():
            with open_ledger(place) as db:
                db.execute(INSERT, EVENT | {"cents": 1})
                db.commit()
            done.set()

        thread = threading.Thread(target=second)
        thread.start()
        if database == "PostgreSQL":
            assert wait_until(postgresql.waiting, timeout_s=5, what="a connection that waits") == 1
        assert not done.wait(0.1)
        first.rollback()
        assert done.wait(10)
        thread.join()
        assert rows(place) == [("a", 1)]


def test_an_unknown_database():
    wrong = pytest.raises(UsageError, match="on must be one of SQLite, PostgreSQL")
    with wrong, new_ledger(TABLES, on="Oracle"):
        pass
