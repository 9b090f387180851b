"""What doctor and status say about the broker and the machine."""

import dataclasses
import re
from types import SimpleNamespace

from helpers import broker, chaos
from helpers.errors import ServiceNotReadyError
from helpers.services import administrator, node
from helpers.suite import doctor
from tests.conftest import child_environment, run_python

NOWHERE = child_environment(AMQP_URL="amqp://guest:guest@nosuchhost.invalid/")


def test_doctor_says_what_is_wrong_with_the_given_broker():
    done = run_python("-m", "helpers", "doctor", environment=NOWHERE)
    assert done.returncode == 1
    assert "LOOK  the host name 'nosuchhost.invalid' does not resolve" in done.stdout


def test_doctor_says_when_connections_open_slowly(shared_broker):
    with chaos.proxy(round_trip_ms=500) as network:  # opening one takes some three round trips
        far = dataclasses.replace(shared_broker, amqp_url=broker.amqp_url(via=network))
        found = doctor._opening(far)
    assert not found.fine
    assert re.search(r"takes \d{4} ms, .* /etc/hosts", found.text)


def test_status_and_doctor_without_a_broker(tmp_path):
    environment = child_environment(home=tmp_path, RABBIT_LAB_SERVICES="off")
    lacks = (node.missing() or "").rstrip(".")
    server = f"optional: {lacks}" if lacks else f"{node.NAME}: {node.describe()}"
    done = run_python("-m", "helpers", "status", environment=environment)
    assert (done.returncode, done.stdout) == (
        0,
        "Not running: no broker is running: start one with `make up`.\n"
        "  optional: PostgreSQL is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: Prometheus is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: Kafka is not used: RABBIT_LAB_SERVICES is off\n"
        "  optional: A cluster is not used: RABBIT_LAB_SERVICES is off\n"
        f"  {server}\n"
        f"  {administrator.NAME}: {administrator.describe()}\n",
    )
    done = run_python("-m", "helpers", "doctor", environment=environment)
    assert "AMQP_URL" not in done.stdout
    assert "no broker is running yet" in done.stdout


def test_doctor_names_the_services(monkeypatch):
    monkeypatch.setattr(doctor, "SERVICES", {"tag": (there := SimpleNamespace(NAME="Database"))})
    there.missing, there.describe = lambda: None, lambda: "is up"
    assert str(doctor._services()[0]) == "ok    Database: is up"
    there.missing = lambda: "There is no Database: get one."
    assert str(doctor._services()[0]) == "ok    optional: There is no Database: get one"

    def refuses():
        raise ServiceNotReadyError("no connection to Database")

    there.missing, there.describe = lambda: None, refuses
    assert str(doctor._services()[0]) == "LOOK  no connection to Database"


def test_doctor_finds_packages_that_differ(monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: "0.0")
    finding = doctor._packages()
    assert not finding.fine
    assert "pika is 0.0, wanted" in finding.text


def test_doctor_finds_a_full_disk(monkeypatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    assert str(doctor._disk()).startswith("LOOK  only")


def test_doctor_says_whether_packages_are_installed(monkeypatch):
    monkeypatch.setattr(doctor.apt, "has_apt", lambda: True)
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    monkeypatch.delenv("RABBIT_LAB_INSTALL", raising=False)
    assert "RABBIT_LAB_INSTALL=off declines" in str(doctor._installing())
    monkeypatch.setenv("RABBIT_LAB_INSTALL", "off")
    assert str(doctor._installing()) == (
        "ok    missing packages are not installed: RABBIT_LAB_INSTALL is off"
    )
