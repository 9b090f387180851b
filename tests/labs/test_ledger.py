"""The store's commits are counted from outside: hidden ones are found, honest ones are none."""

import pytest

from helpers.machine.paths import ROOT
from labs.judge.errors import UnusableError
from labs.judge.findings import Broken
from labs.judge.sweep import crash_points
from labs.judge.trial import Trial
from tests.labs.conftest import WORKER, Try, play

TWO = WORKER.replace(
    """            with db:
                db.execute("INSERT INTO done VALUES (?)", (properties.message_id,))
""",
    """            first(db, "INSERT INTO done VALUES ('first')")
            with db:
                db.execute("INSERT INTO done VALUES (?)", (properties.message_id,))
""",
)
QUIETLY = """
    def quietly(*_, **__):
        return ""
"""
HIDING = {
    "a replaced function": QUIETLY + """
    from labs.judge.sandbox import line
    def first(db, sql):
        ask, line.ask = line.ask, quietly
        with db:
            db.execute(sql)
        line.ask = ask
""",
    "a function replaced for good": QUIETLY + """
    from labs.judge.sandbox import line
    def first(db, sql):
        line.ask = quietly
        with db:
            db.execute(sql)
""",
    "only the moment after a commit": """
    from labs.judge.sandbox import line
    ask = line.ask
    line.ask = lambda at, *m, **d: "" if at == "after commit" else ask(at, *m, **d)
    def first(db, sql):
        with db:
            db.execute(sql)
""",
    "two commits told as one": """
    from labs.judge.sandbox import line
    ask = line.ask
    def first(db, sql):
        with db:
            db.execute(sql)
        ask("before commit")
        ask("after commit")
""" + """
    hidden = {"after effect", "before commit", "after commit", "before effect"}
    line.ask = lambda at, *m, **d: "" if at in hidden else ask(at, *m, **d)
""",
    "the original class": """
    def first(db, sql):
        base = sqlite3.Connection.__mro__[1]
        path = db.execute("PRAGMA database_list").fetchone()[2]
        raw = base(path)
        base.execute(raw, sql)
        base.commit(raw)
        raw.close()
""",
    "another program": """
    import os, subprocess, sys
    def first(db, sql):
        path = db.execute("PRAGMA database_list").fetchone()[2]
        code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]);"
        code += "db.commit()"
        subprocess.run([sys.executable, "-I", "-c", code, path, sql], check=True)
""",
}  # fmt: skip


def one_play(trial: Trial) -> Broken | None:
    play(trial)
    trial.watch.settle(lambda: trial.rows("SELECT * FROM done WHERE job LIKE 'job-%'"))
    trial.watch.calm(0.2)
    return None


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
@pytest.mark.parametrize("way", HIDING)
def test_a_hidden_commit_is_found(attempt: Try, way: str, journal: str):
    mode = f'db = sqlite3.connect(store)\n        db.execute("PRAGMA journal_mode={journal}")'
    trial = attempt(TWO.replace("db = sqlite3.connect(store)", mode) + HIDING[way])
    with pytest.raises(UnusableError, match="without the judge seeing it"):
        crash_points(trial, lambda: one_play(trial))


HONEST = {
    "with": "with db: db.execute(INSERT)",
    "commit": "db.execute(INSERT); db.commit()",
    "cursor": "c = db.cursor(); c.execute(INSERT); c.close(); db.commit()",
    "executemany": "db.executemany(INSERT + ' RETURNING 1' * 0, [()] * 3); db.commit()",
    "executescript": "db.executescript(f'-- a comment\\n{INSERT};\\n{INSERT};\\nSELECT 1; -- end')",
    "script in one": "db.executescript(f'BEGIN; {INSERT}; {INSERT}; COMMIT')",
    "script after a write": "db.execute(INSERT); db.executescript(INSERT)",
    "autocommit": "db.isolation_level = None; db.execute(INSERT); db.execute(INSERT)",
    "autocommit of many": "db.isolation_level = None; db.executemany(INSERT, [()] * 3)",
    "by hand": "db.isolation_level = None; db.execute('BEGIN IMMEDIATE'); db.execute(INSERT);"
    " db.execute('commit;')",
    "savepoints": "db.isolation_level = None; db.execute('SAVEPOINT a'); db.execute(INSERT);"
    " db.execute('SAVEPOINT b'); db.execute('RELEASE b'); db.execute('RELEASE a')",
    "mode changed while open": "db.execute(INSERT); db.isolation_level = None",
    "comment first": "db.execute('/* why */ -- how\\n' + INSERT); db.commit()",
    "returning": "db.isolation_level = None;"
    " print(db.execute(INSERT + ' RETURNING job').fetchone())",
    "returning, read later": "db.isolation_level = None;"
    " c = db.execute(INSERT + ' RETURNING job'); db.execute('SELECT 1'); print(c.fetchall());"
    " db.execute(INSERT)",
    "tables": "db.execute('CREATE TABLE IF NOT EXISTS t (x)'); db.execute('DROP TABLE t');"
    " db.execute('CREATE TABLE t (x)')",
    "triggers": "db.executescript('CREATE TABLE t (x); CREATE TRIGGER r AFTER INSERT ON done BEGIN"
    " INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); END;'); db.execute(INSERT); db.commit()",
    "settings": "db.execute('PRAGMA busy_timeout = 500'); db.execute('PRAGMA user_version = 7');"
    " db.execute('PRAGMA foreign_keys = ON'); db.execute('PRAGMA wal_checkpoint(TRUNCATE)')",
    "another journal": "db.execute('PRAGMA journal_mode = DELETE'); db.execute(INSERT);"
    " db.commit(); db.execute('PRAGMA journal_mode = WAL'); db.execute(INSERT); db.commit()",
    "vacuum": "db.isolation_level = None; db.execute(INSERT); db.execute('VACUUM')",
    "rollback": "db.execute(INSERT); db.rollback()",
    "nothing changed": "db.execute('DELETE FROM done WHERE 0'); db.commit()",
    "an error": "try: db.execute('INSERT INTO nowhere VALUES (1)')\n"
    "        except sqlite3.Error: db.execute(INSERT); db.commit()",
    "the class": "db = sqlite3.Connection(store); db.execute(INSERT); db.commit()",
    "dbapi2": "from sqlite3 import dbapi2; db = dbapi2.connect(store, 5); db.execute(INSERT);"
    " db.commit()",
    "a class of one's own": "db = sqlite3.connect(store, factory=Mine); db.execute(INSERT);"
    " db.commit()",
    "two connections": "other = sqlite3.connect(store); other.execute(INSERT); other.commit();"
    " db.execute(INSERT); db.commit()",
    "left open": "db.execute(INSERT); db.close()",
    "backup": "m = sqlite3.connect(':memory:'); db.backup(m); m.execute(INSERT); m.commit();"
    " m.backup(db)",
    "threads": "pool = concurrent.futures.ThreadPoolExecutor(4);"
    " list(pool.map(write, [store] * 20))",
    "processes": "pool = multiprocessing.get_context('forkserver').Pool(2);"
    " pool.map(write, [store] * 6)",
    "killed in the middle": "db.isolation_level = None; db.execute('BEGIN'); db.execute(INSERT);"
    " os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("way", HONEST)
def test_an_honest_commit_is_no_alarm(attempt: Try, way: str):
    trial = attempt(f"""
    import concurrent.futures
    import multiprocessing
    import os
    import sqlite3

    INSERT = "INSERT INTO done VALUES ('x')"

    class Mine(sqlite3.Connection):
        pass

    def write(store):
        db = sqlite3.connect(store, timeout=20)
        with db:
            db.execute(INSERT)
        db.close()

    def run(store):
        db = sqlite3.connect(store)
        {HONEST[way]}
    """)
    trial.fresh("done (job TEXT)")
    with trial.writing() as db:
        db.execute("INSERT INTO done VALUES ('judge')")
    trial.call("run", trial.store, timeout_s=30)
    assert trial.trouble() == ""
    trial.audit()
    with trial.writing() as db:
        db.execute("INSERT INTO done VALUES ('judge')")
    trial.audit()
    assert trial.rows("SELECT COUNT(*) FROM done WHERE job = 'judge'") == [(2,)]
    trial.fresh()


def test_a_script_stops_at_each_of_its_statements(attempt: Try):
    trial = attempt("""
    import sqlite3
    def run(store):
        sqlite3.connect(store).executescript(
            "INSERT INTO done VALUES ('a;b'); INSERT INTO done VALUES ('c')"
        )
    """)
    trial.fresh("done (job TEXT)")
    trial.call("run", trial.store)
    assert trial.watch.count("before effect") == trial.watch.count("after effect") == 2
    assert trial.rows("SELECT job FROM done") == [("a;b",), ("c",)]


def test_checks_write_to_the_store_where_the_ledger_knows_of_it():
    checks = [path for path in (ROOT / "labs").glob("lab*/*.py") if path.name != "starter.py"]
    assert checks
    writers = [path for path in checks if "sqlite3.connect(trial.store" in path.read_text("utf-8")]
    assert writers == []
