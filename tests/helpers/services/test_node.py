"""Whether a private node can be started here, and its version."""

import pytest

from helpers import services
from helpers.machine.ports import is_free
from helpers.rabbitmq import server
from helpers.services import node
from helpers.waits import wait_until


def server_at(tmp_path, monkeypatch, folder):
    script = tmp_path / folder / "sbin" / "rabbitmq-server"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("RABBIT_LAB_SERVER", str(script))


def test_without_a_server_it_says_so_and_how_to_get_one(monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_SERVER", "/nowhere/rabbitmq-server")
    said = node.missing()
    assert "RABBIT_LAB_SERVER names /nowhere/rabbitmq-server" in said
    assert "apt-get install rabbitmq-server" in said
    assert services.missing(["experiment", "needs-node"]) == said
    assert node.version() == "?"


def test_with_a_server_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(node.server, "why_no_server", lambda: None)
    assert node.missing() is None


def test_version_is_that_of_the_server_s_folder(tmp_path, monkeypatch):
    server_at(tmp_path, monkeypatch, "rabbitmq_server-4.3.6")
    assert node.version() == "4.3.6"


def test_version_is_found_in_the_folders_of_homebrew(tmp_path, monkeypatch):
    server_at(tmp_path, monkeypatch, "Cellar/rabbitmq/4.0.5")
    assert node.version() == "4.0.5"


@pytest.mark.parametrize(("answer", "version"), [("4.0.5", "4.0.5"), ("Error: no", "?")])
def test_a_server_whose_folder_does_not_tell_is_asked_once(tmp_path, monkeypatch, answer, version):
    server_at(tmp_path, monkeypatch, "mine")
    ctl = tmp_path / "mine" / "sbin" / "rabbitmqctl"
    ctl.write_text(f'#!/bin/sh\necho asked >>{tmp_path}/calls\necho "{answer}"\n')
    ctl.chmod(0o755)
    assert [node.version(), node.version()] == [version, version]
    assert (tmp_path / "calls").read_text() == "asked\n"


def test_asking_leaves_no_port_mapper_behind(tmp_path, monkeypatch):
    installed = server.server_script()
    if installed is None:
        pytest.skip(f"no rabbitmqctl to ask: {server.why_no_server()}")
    known = node.version()
    server_at(tmp_path, monkeypatch, "mine")
    ctl = tmp_path / "mine" / "sbin" / "rabbitmqctl"
    real = installed.with_name("rabbitmqctl")
    ctl.write_text(
        f'#!/bin/sh\n{real} "$@"\necho $ERL_EPMD_PORT >{tmp_path}/port\n'
        f"epmd -names >{tmp_path}/names 2>&1\n"
    )
    ctl.chmod(0o755)
    assert node.version() == known
    port = int((tmp_path / "port").read_text())
    assert f"running on port {port}" in (tmp_path / "names").read_text()
    wait_until(lambda: is_free(port), timeout_s=5, what="the end of that epmd")
