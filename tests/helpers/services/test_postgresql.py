"""A scratch schema on a real PostgreSQL, and a private server that leaves nothing behind."""

import os
import subprocess
from pathlib import Path

import pytest

from helpers.errors import ServiceMissingError, ServiceNotReadyError, UsageError
from helpers.machine import apt, docker
from helpers.machine.paths import home
from helpers.services import postgresql, private, prometheus
from helpers.services import postgresql_cluster as cluster
from helpers.services.postgresql_scratch import Scratch
from helpers.suite import install
from tests.conftest import child_environment, run_python, wait_gone

needs_postgresql = pytest.mark.skipif(
    postgresql.missing() is not None, reason=str(postgresql.missing())
)
needs_programs = pytest.mark.skipif(cluster.why_not() is not None, reason=str(cluster.why_not()))
LEAVE = """
import os, signal
from helpers.services import postgresql
with postgresql.connect() as connection:
    connection.execute("CREATE TABLE t (x int)")
    print(connection.execute("SELECT current_schema()").fetchone()[0], flush=True)
END
"""


def schemas():
    with postgresql.connect() as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^rabbit_lab_'")
        return {name for (name,) in rows}


@needs_postgresql
def test_a_connection_has_a_schema_of_its_own():
    postgresql.clean()
    with postgresql.connect() as connection:
        connection.execute("CREATE TABLE charges (id text PRIMARY KEY)")
        connection.execute("INSERT INTO charges VALUES ('a')")
    with postgresql.connect(autocommit=True) as other:
        assert other.execute("SELECT current_schema()").fetchone()[0] in schemas()
        assert other.execute("SELECT count(*) FROM charges").fetchone() == (1,)
    assert postgresql.version().split(".")[0].isdigit()
    assert "password" not in repr(postgresql.find())
    assert postgresql.find().url not in repr(postgresql.find())


@needs_postgresql
def test_clean_ends_what_holds_locks_and_empties_the_schema():
    import psycopg

    postgresql.clean()
    left = postgresql.connect()
    left.execute("CREATE TABLE charges (id text)")
    left.commit()
    left.execute("INSERT INTO charges VALUES ('a')")
    postgresql.clean()
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    with postgresql.connect() as connection:
        assert connection.execute("SELECT to_regclass('charges')").fetchone() == (None,)


@needs_postgresql
def test_schema_goes_with_its_process_and_that_of_a_killed_one_with_the_next():
    done = run_python("-c", LEAVE.replace("END", ""))
    assert done.stdout.strip() not in schemas(), done.stderr
    killed = run_python("-c", LEAVE.replace("END", "os.kill(os.getpid(), signal.SIGKILL)"))
    assert killed.returncode == -9
    left = killed.stdout.strip()
    assert left in schemas()
    postgresql.url()
    another = Scratch(postgresql.find().url)
    assert left in another.swept
    assert another.name in schemas()
    another.remove()
    assert {left, another.name} & schemas() == set()


@needs_postgresql
def test_a_keyword_that_psycopg_does_not_know():
    with pytest.raises(UsageError, match="psycopg refuses a parameter"):
        postgresql.connect(colour="red")


@pytest.fixture
def fresh(monkeypatch):
    """Forget the server for the time of a test."""
    monkeypatch.setattr(postgresql, "_server", None)
    monkeypatch.setattr(postgresql, "_scratch", None)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("RABBIT_LAB_SERVICES", raising=False)
    monkeypatch.setenv("RABBIT_LAB_DOCKER", "off")


@needs_postgresql
def test_a_given_server_comes_first():
    given = postgresql.find().url
    environment = child_environment(DATABASE_URL=given, RABBIT_LAB_HOME="/nonexistent")
    code = "from helpers.services import postgresql as p; print(p.find().source, p.describe())"
    done = run_python("-c", code, environment=environment)
    assert done.stdout.startswith("DATABASE_URL version "), done.stderr
    assert done.stdout.endswith("(DATABASE_URL)\n")


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("mysql://lab@127.0.0.1/lab", UsageError, "DATABASE_URL has to look like"),
        ("postgresql://lab:secret@127.0.0.1:1/lab", ServiceNotReadyError, "DATABASE_URL.*refused"),
    ],
)
def test_a_given_server_that_does_not_work(fresh, monkeypatch, url, error, words):
    monkeypatch.setenv("DATABASE_URL", url)
    assert postgresql.missing() is None
    with pytest.raises(error, match=words) as failure:
        postgresql.connect()
    assert "secret" not in str(failure.value)


@needs_postgresql
def test_a_server_of_docker_compose_is_used(monkeypatch):
    given = postgresql.find().url
    monkeypatch.setattr(postgresql, "_server", None)
    monkeypatch.setattr(docker, "address_of", lambda *_: "127.0.0.1:5432")
    monkeypatch.setattr(cluster, "why_not", lambda: "no server programs are installed")
    asked = []
    look = postgresql._look

    def redirected(url, source):
        asked.append((url, source))
        return look(given, source)

    monkeypatch.setattr(postgresql, "_look", redirected)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert postgresql.missing() is None
    assert postgresql.find().source == "Docker Compose"
    assert asked == [("postgresql://lab:lab@127.0.0.1:5432/lab", "Docker Compose")]


@needs_programs
def test_a_private_server_is_shared_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path))
    url = cluster.start()
    service = cluster._noted()
    try:
        assert cluster.start() == url
        assert cluster.is_running()
        owner = Path(service.noted["data"]).stat().st_uid
        assert owner != 0
        process = service.processes["server"].process()
        assert process.uids().real == owner
        assert {c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"} == {
            "127.0.0.1"
        }
        assert (home() / "postgresql" / "state.json").stat().st_mode & 0o077 == 0
    finally:
        done = run_python("-m", "helpers", "down", environment=child_environment(home=tmp_path))
    assert done.stdout.startswith("Stopped: private PostgreSQL."), done.stderr
    wait_gone(process.pid)
    assert not Path(service.noted["data"]).exists()
    assert not (tmp_path / "postgresql").exists()
    assert not cluster.stop()


def test_no_programs_or_no_user_is_said(fresh, monkeypatch):
    monkeypatch.setattr(cluster, "_programs", lambda: Path("/nonexistent"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(cluster, "_user", lambda: None)
    assert cluster.why_not() == "it does not run as root, and there is no user postgres or nobody"
    monkeypatch.setattr(cluster, "_programs", lambda: None)
    monkeypatch.setattr(apt, "has_apt", lambda: True)
    sentence = postgresql.missing()
    assert sentence.startswith(
        "There is no PostgreSQL here (no server programs are installed):"
        " `sudo apt-get install postgresql` "
    )
    assert "docker compose --profile postgres up" in sentence
    assert "DATABASE_URL=" in sentence
    with pytest.raises(ServiceMissingError, match="no server programs"):
        postgresql.connect()


def test_an_initdb_that_fails_is_one_sentence(tmp_path, monkeypatch):
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'initdb: error: disk full' >&2; exit 1\n")
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cluster, "_programs", lambda: tmp_path)
    monkeypatch.setattr(cluster, "_user", lambda: None)
    with pytest.raises(ServiceNotReadyError, match="initdb failed: initdb: error: disk full"):
        cluster.start()
    assert not (tmp_path / "home" / "postgresql").exists()


def test_switched_off(monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert postgresql.missing() == "PostgreSQL is not used: RABBIT_LAB_SERVICES is off."


# ── installing ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def packages(fresh, monkeypatch):
    """Make all services missing, and return the list of packages that are then installed."""
    installed = []
    for service in install.SERVICES.values():

        def missing(service=service):
            there = not service.PACKAGE or service.PACKAGE in installed
            return None if there else f"There is no {service.NAME}."

        monkeypatch.setattr(service, "missing", missing)
    monkeypatch.setattr(apt, "why_not", lambda: None)
    monkeypatch.setattr(apt, "install", installed.append)
    return installed


def test_what_is_missing_is_installed_and_said(packages, capsys):
    assert install.install_missing() == []
    assert packages == ["postgresql", "prometheus"]
    assert "Installing Debian's postgresql with apt-get." in capsys.readouterr().out
    assert install.install_missing() == []
    assert len(packages) == 2


def test_without_root_nothing_is_installed(packages, monkeypatch):
    monkeypatch.setattr(apt, "why_not", lambda: "installing needs root")
    assert install.install_missing() == ["There is no PostgreSQL.", "There is no Prometheus."]
    assert packages == []


def test_switched_off_nothing_is_installed(packages, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_SERVICES", "off")
    assert len(install.install_missing()) == 2
    assert packages == []


def test_an_apt_get_that_fails_is_said(packages, monkeypatch, capsys):
    def fails(package):
        raise apt.AptError(f"`apt-get install {package}` failed (no network)")

    monkeypatch.setattr(apt, "install", fails)
    assert len(install.install_missing()) == 2
    assert "error: `apt-get install postgresql` failed (no network)" in capsys.readouterr().out


# ── Docker Compose ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ours", "plain", "found"),
    [
        ("0.0.0.0:15432", "", "127.0.0.1:15432"),
        ("", "127.0.0.1:5432", "127.0.0.1:5432"),
        (":0", "", None),
        ("", "", None),
    ],
)
def test_where_a_container_listens(monkeypatch, ours, plain, found):
    def answer(*arguments, project, timeout_s):
        said = plain if project is None else ours
        return subprocess.CompletedProcess(arguments, 0 if said else 1, stdout=f"{said}\n")

    monkeypatch.setattr(docker, "why_not", lambda: None)
    monkeypatch.setattr(docker, "in_project", answer)
    assert docker.address_of("postgres", 5432) == found


def test_without_docker_there_is_no_container(monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_DOCKER", "off")
    assert docker.address_of("postgres", 5432) is None


def test_places_of_programs_are_searched(tmp_path, monkeypatch):
    program = tmp_path / "promtool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert private.find_program("promtool-of-nobody", str(tmp_path)) is None
    monkeypatch.setenv("PATH", "/nonexistent")
    assert private.find_program("promtool", str(tmp_path)) is not None
    assert prometheus.PACKAGE == "prometheus"
