"""Tests of Kafka's stand-in: its entry point and its download with Maven."""

import os
import subprocess

import pytest
import yaml

from helpers.machine import apt, docker
from tests.slow.offline import kafka_image, standins

SETPRIV = """#!/bin/sh
# Prints the command and its properties instead of starting a server.
echo "$*"
for last; do :; done
cat "$last"
"""


@pytest.fixture
def start(tmp_path):
    """Return a function that runs the entry point with variables and returns its output's lines."""
    (tmp_path / "setpriv").write_text(SETPRIV)
    (tmp_path / "setpriv").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"

    def run(**variables: str) -> list[str]:
        done = subprocess.run(
            ["sh", str(standins.ENTRIES / "kafka.sh")],
            env={"PATH": path, "TMPDIR": str(tmp_path), **variables},
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


def test_variables_become_properties(start):
    lines = start(
        KAFKA_NODE_ID="1",
        KAFKA_LISTENERS="A://:9092,B://x=y:1",
        KAFKA_ONE__TWO___THREE_FOUR="5",
        KAFKA_HEAP_OPTS="-Xmx64m -Xms64m",
        OTHER="no",
    )
    properties = ["listeners=A://:9092,B://x=y:1", "node.id=1", "one_two-three.four=5"]
    assert lines[1:4] == properties
    assert lines[5:] == properties
    java = "java -Xmx64m -Xms64m -cp /opt/kafka/libs/*"
    assert java in lines[0]
    assert "kafka.tools.StorageTool format --ignore-formatted --cluster-id" in lines[0]
    assert java in lines[4]
    assert " kafka.Kafka " in lines[4]


def test_the_variables_of_compose_make_one_node(start):
    services = yaml.safe_load(docker.FILE.read_text())["services"]
    lines = start(**services["kafka"]["environment"])
    properties = dict(line.split("=", 1) for line in lines[1:] if " kafka." not in line)
    assert properties["process.roles"] == "broker,controller"
    assert properties["group.initial.rebalance.delay.ms"] == "500"
    assert not any("heap" in name for name in properties)


def test_it_is_the_version_of_compose():
    services = yaml.safe_load(docker.FILE.read_text())["services"]
    assert services["kafka"]["image"] == f"${{KAFKA_IMAGE:-apache/kafka:{kafka_image.VERSION}}}"
    assert kafka_image.VERSION in kafka_image.POM
    assert standins.STANDINS["kafka"].install is kafka_image.install


def test_a_missing_maven_is_in_the_message(tmp_path, monkeypatch):
    def refuses(*packages):
        raise apt.AptError("installing needs root")

    monkeypatch.setattr(kafka_image.shutil, "which", lambda name: None)
    monkeypatch.setattr(apt, "install", refuses)
    with pytest.raises(kafka_image.KafkaError, match="needs Maven: installing needs root"):
        kafka_image.install(tmp_path)


def test_a_failure_of_maven_is_in_the_message(tmp_path, monkeypatch):
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho '[ERROR] no such version'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setattr(kafka_image.shutil, "which", lambda name: str(maven))
    with pytest.raises(kafka_image.KafkaError, match=r"cannot download .*: \[ERROR\] no such"):
        kafka_image.install(tmp_path / "tree")
