"""Tests of the container tests that need no engine."""

import ast
import importlib
import importlib.util

import pytest

from helpers.machine import apt
from helpers.machine.paths import ROOT
from tests.slow.containers import attempts, scenarios
from tests.slow.containers.stack import PORTS, Stack
from tests.slow.offline import engine, standins


def test_name_of_a_stand_in_changes_with_its_recipe(tmp_path, monkeypatch):
    standin = standins.STANDINS["rabbitmq-4.3"]
    before = standin.digest()
    assert standin.digest() == before
    assert len({one.digest() for one in standins.STANDINS.values()}) == len(standins.STANDINS)
    monkeypatch.setattr(standins, "ENTRIES", tmp_path)
    (tmp_path / standin.entry).write_text("#!/bin/sh\n")
    assert standin.digest() != before


def test_images_that_compose_takes_have_stand_ins():
    text = (ROOT / "docker-compose.yml").read_text()
    taken = {name for name in standins.STANDINS if f"{name.split('-')[0].upper()}_IMAGE" in text}
    machines = {name for name in standins.STANDINS if name.startswith("debian-")}
    assert taken == set(standins.STANDINS) - {"compose"} - machines


def test_no_stand_in_is_built_without_root(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_STANDINS", str(tmp_path))
    monkeypatch.setattr(apt, "why_not", lambda: "installing needs root")
    with pytest.raises(standins.StandinError, match="installing needs root"):
        standins.tree("python")
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_interrupted_build_leaves_no_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(standins, "why_not", lambda: None)

    def broken(new):
        new.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        standins._fresh(tmp_path / "tree", broken)
    assert not list(tmp_path.iterdir())


def test_message_of_a_failed_step_has_its_last_output():
    with pytest.raises(standins.StandinError, match=r"`sh -c echo .*failed: bad luck"):
        standins._do(["sh", "-c", "echo bad luck >&2; exit 3"], 5)
    with pytest.raises(standins.StandinError, match=r"took more than 0.1 s"):
        standins._do(["sleep", "5"], 0.1)


def test_mirror_is_an_address():
    assert standins.mirror().startswith("http")


def test_without_any_engine_the_reason_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engine, "SBIN", ())
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(apt, "why_not", lambda: "installing needs root")
    with (
        pytest.raises(engine.NoEngineError, match="none can be installed: installing needs root"),
        engine.running(),
    ):
        pass


def test_a_package_without_the_engine_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engine, "SBIN", ())
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(engine, "_install", lambda: None)
    with (
        pytest.raises(engine.NoEngineError, match="there is no dockerd to start"),
        engine.running(),
    ):
        pass


@pytest.mark.parametrize("on_path", [True, False])
def test_message_of_an_engine_that_ends_has_its_reason(on_path, monkeypatch, tmp_path):
    sbin = tmp_path if on_path else tmp_path / "sbin"
    sbin.mkdir(exist_ok=True)
    monkeypatch.setattr(engine, "SBIN", (str(sbin),))
    dockerd = sbin / "dockerd"
    dockerd.write_text("#!/bin/sh\necho operation not permitted >&2\nexit 1\n")
    dockerd.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with (
        pytest.raises(engine.NoEngineError, match="dockerd ended: operation not permitted"),
        engine.running(),
    ):
        pass


def test_stack_ignores_the_callers_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("AMQP_URL", "amqp://mine")
    monkeypatch.setenv("RABBIT_LAB_HOME", "/mine")
    monkeypatch.setenv("COMPOSE_FILE", "mine.yml")
    environment = Stack(tmp_path, {"RABBITMQ_IMAGE": "standin"}).environment
    assert not {"AMQP_URL", "RABBIT_LAB_HOME", "COMPOSE_FILE"} & set(environment)
    assert environment["RABBITMQ_IMAGE"] == "standin"
    assert len({environment[name] for name in PORTS}) == len(PORTS)


def test_command_that_fails_or_hangs_is_an_error(tmp_path):
    stack = Stack(tmp_path, {})
    with pytest.raises(scenarios.StackError, match="failed:\nout of luck"):
        stack.run("sh", "-c", "echo out of luck; exit 2")
    assert stack.run("sh", "-c", "exit 2", check=False).returncode == 2
    with pytest.raises(scenarios.StackError, match=r"took more than 0.1 s"):
        stack.run("sleep", "5", timeout_s=0.1)


def test_command_of_the_pages_that_nothing_ran_is_told(tmp_path):
    (tmp_path / "docs").mkdir()
    for name, text in (
        ("containers.md", "```\ndocker compose up   # starts\ndocker compose stop\n```\n"),
        ("instructors.md", "`docker compose ps`\n"),
    ):
        (tmp_path / "docs" / name).write_text(text)
    stack = Stack(tmp_path, {})
    stack.ran |= {"docker compose up", "docker compose ps"}
    with pytest.raises(scenarios.StackError, match="nothing here ran: docker compose stop"):
        scenarios.pages(stack)
    stack.ran.add("docker compose stop")
    assert scenarios.pages(stack) == "each of the pages' 3 commands was run"


@pytest.mark.parametrize("code", [attempts.LEAVE, attempts.TRY, attempts.STILL])
def test_imports_of_the_code_that_learners_run_exist(code):
    for node in ast.walk(ast.parse(code.replace("{others}", "[]"))):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            for name in node.names:
                there = hasattr(module, name.name)
                assert there or importlib.util.find_spec(f"{node.module}.{name.name}")
